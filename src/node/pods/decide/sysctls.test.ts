import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PodSpec } from '../../../api/generated/types.ts';
import { dottedSysctl, sysctlAllowlist } from './sysctls.ts';

function refusal(
  names: string[],
  unsafe: string[] = [],
  spec: Partial<PodSpec> = {},
  kernel = '6.1.0-13-amd64',
) {
  const sysctls = names.map((name) => ({ name, value: '1' }));
  const pod = { metadata: {}, spec: { containers: [], securityContext: { sysctls }, ...spec } };
  return sysctlAllowlist(kernel, unsafe).rejectionOf(pod)?.message;
}

describe('sysctls of pods', () => {
  it('safe ones are allowed, however their parts are separated', () => {
    assert.equal(refusal(['kernel.shm_rmid_forced', 'net/ipv4/tcp_syncookies']), undefined);
    assert.equal(refusal([]), undefined);
  });

  it('others are refused unless they are allowed, by name or by beginning', () => {
    const why = 'forbidden sysctl: "net.core.somaxconn" not allowlisted';
    assert.equal(refusal(['net.core.somaxconn']), why);
    assert.equal(refusal(['net.core.somaxconn'], ['kernel.msg*']), why);
    assert.equal(refusal(['net.core.somaxconn'], ['net.core.somaxconn']), undefined);
    assert.equal(refusal(['net.core.somaxconn', 'kernel.msgmax'], ['kernel.msg*', 'net/core/*']), undefined);
  });

  it('which are safe depends on the kernel', () => {
    const at = (kernel: string) => refusal(['net.ipv4.tcp_rmem'], [], {}, kernel);
    assert.deepEqual(
      ['4.14.9', '4.15.0', '6.1', 'simulated'].map((kernel) => at(kernel) === undefined),
      [false, true, true, true],
    );
  });

  it('what belongs to the node is not a pod’s to set', () => {
    assert.equal(
      refusal(['net.ipv4.tcp_syncookies'], [], { hostNetwork: true }),
      'forbidden sysctl: "net.ipv4.tcp_syncookies" not allowed with host Net enabled',
    );
    assert.equal(
      refusal(['kernel.msgmax'], ['kernel.msg*'], { hostIPC: true }),
      'forbidden sysctl: "kernel.msgmax" not allowed with host IPC enabled',
    );
  });

  it('only what is of a namespace can be allowed', () => {
    assert.throws(
      () => sysctlAllowlist('6.1', ['vm.swappiness']),
      /"vm.swappiness" is not known to be namespaced/,
    );
    assert.throws(() => sysctlAllowlist('6.1', ['*']), /"\*" is not known to be namespaced/);
    assert.throws(() => sysctlAllowlist('6.1', ['net.*.a']), /is no name of a sysctl/);
    assert.throws(() => sysctlAllowlist('6.1', ['']), /is no name of a sysctl/);
  });

  it('a dot in the name of an interface stays', () => {
    assert.equal(dottedSysctl('net/ipv4/conf/eno2.100/rp_filter'), 'net.ipv4.conf.eno2/100.rp_filter');
    assert.equal(dottedSysctl('net.ipv4.conf.eno2/100.rp_filter'), 'net.ipv4.conf.eno2/100.rp_filter');
  });
});
