// Kubernetes' DNS-based service discovery (kubernetes/dns docs/specification.md), sentence by sentence, asked with `dig`.
// Where the specification is silent, CoreDNS' kubernetes plugin is followed. A test is named by what is said.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Beyond, startBeyond } from './beyond.ts';
import { type Dug, dataOf, dig, noDig } from './dig.ts';
import { DOMAIN, furnish, startWorld, type World } from './world.ts';

describe('DNS-based service discovery', { skip: noDig }, () => {
  let world: World;
  let beyond: Beyond;
  const ask = (...args: string[]): Promise<Dug> => dig(world.dns.port, ...args);
  const data = async (name: string, type: string): Promise<string[]> =>
    dataOf((await ask(name, type)).answer);
  const statusOf = async (name: string, type = 'A'): Promise<string> => {
    const { status, answer } = await ask(name, type);
    return answer.length === 0 && status === 'NOERROR' ? 'NODATA' : status;
  };

  before(async () => {
    beyond = await startBeyond((name) =>
      name === 'www.example.org'
        ? { answers: [{ type: 'A', name, ttl: 28_715, data: '192.0.2.53' }] }
        : { flags: 3 },
    );
    world = await startWorld(beyond.port);
    await furnish(world);
  });
  after(async () => {
    await world.stop();
    beyond.close();
  });

  describe('2.1 definitions', () => {
    it('the hostname of an endpoint is the value of its `hostname` field', async () => {
      assert.deepEqual(await data(`first.peers.${DOMAIN}`, 'A'), ['10.9.0.1']);
    });
    it('without one it is a system-assigned identifier that tells the endpoint from others', async () => {
      assert.deepEqual(await data(`10-9-0-2.peers.${DOMAIN}`, 'A'), ['10.9.0.2']);
      assert.deepEqual(await data(`fd00--2.peers.${DOMAIN}`, 'AAAA'), ['fd00::2']);
    });
    it('an endpoint is ready if its Service wants those that are not', async () => {
      assert.deepEqual(await data(`early.${DOMAIN}`, 'A'), ['10.244.0.30']);
      assert.deepEqual(await data(`early-0.early.${DOMAIN}`, 'A'), ['10.244.0.30']);
    });
    it('comparisons are case-insensitive, and the case of the question is kept', async () => {
      const { answer, question } = await ask('pLaIn.DeFaUlT.SvC.ClUsTeR.LoCaL', 'A');
      assert.equal(question, 'pLaIn.DeFaUlT.SvC.ClUsTeR.LoCaL.');
      assert.match(answer[0] ?? '', /^pLaIn\.DeFaUlT\.SvC\.ClUsTeR\.LoCaL\. \d+ IN A 10\.96\.0\.7$/);
    });
  });

  describe('2.2 record for schema version', () => {
    it('there is a TXT record dns-version.<zone> with the semantic version of the schema', async () => {
      assert.deepEqual(await data('dns-version.cluster.local', 'TXT'), ['"1.1.0"']);
      assert.equal(await statusOf('dns-version.cluster.local', 'A'), 'NODATA');
    });
  });

  describe('2.3 records for a Service with ClusterIP', () => {
    it('2.3.1 an A record has the ClusterIP', async () => {
      const { answer, flags, status } = await ask(`plain.${DOMAIN}`, 'A');
      assert.deepEqual([status, dataOf(answer)], ['NOERROR', ['10.96.0.7']]);
      assert.ok(flags.includes('aa') && flags.includes('ra'), `${flags}`);
      assert.equal(await statusOf(`plain.${DOMAIN}`, 'AAAA'), 'NODATA');
    });
    it('2.3.2 an SRV record for each named port, with the A record it refers to beside it', async () => {
      const http = await ask(`_http._tcp.plain.${DOMAIN}`, 'SRV');
      assert.match(dataOf(http.answer).join(), /^\d+ \d+ 80 plain\.default\.svc\.cluster\.local\.$/);
      assert.deepEqual(dataOf(http.additional), ['10.96.0.7']);
      assert.match(
        (await data(`_dns._udp.plain.${DOMAIN}`, 'SRV')).join(),
        /^\d+ \d+ 53 plain\.default\.svc\.cluster\.local\.$/,
      );
    });
    it('2.3.2 unnamed ports have none, nor has a port under another protocol', async () => {
      for (const name of ['_http._udp.plain', '_._tcp.unnamed', '_http._tcp.unnamed', '_x._tcp.plain'])
        assert.equal(await statusOf(`${name}.${DOMAIN}`, 'SRV'), 'NXDOMAIN', name);
    });
    it('2.3.3 a PTR record leads from the ClusterIP to the Service', async () => {
      assert.deepEqual(await data('7.0.96.10.in-addr.arpa', 'PTR'), [`plain.${DOMAIN}.`]);
    });
    it('CoreDNS: its endpoints have names below it, and these lead back', async () => {
      assert.deepEqual(await data(`10-244-0-20.plain.${DOMAIN}`, 'A'), ['10.244.0.20']);
      assert.deepEqual(await data('20.0.244.10.in-addr.arpa', 'PTR'), [`10-244-0-20.plain.${DOMAIN}.`]);
    });
  });

  describe('2.4 records for a headless Service', () => {
    it('2.4.1 an A record for each ready endpoint', async () => {
      const all = ['10.244.0.10', '10.244.0.11', '10.244.0.13'];
      assert.deepEqual(await data(`set.${DOMAIN}`, 'A'), all);
    });
    it('2.4.1 without ready endpoints the answer is NXDOMAIN', async () => {
      assert.equal(await statusOf(`empty.${DOMAIN}`), 'NXDOMAIN');
      assert.equal(await statusOf(`empty.${DOMAIN}`, 'SRV'), 'NXDOMAIN');
    });
    it('2.4.1 an A record of the hostname for each ready endpoint that has it', async () => {
      assert.deepEqual(await data(`set-1.set.${DOMAIN}`, 'A'), ['10.244.0.11']);
      assert.equal(await statusOf(`set-2.set.${DOMAIN}`), 'NXDOMAIN');
      assert.equal(await statusOf(`third.peers.${DOMAIN}`), 'NXDOMAIN');
    });
    it('2.4.1 several addresses of one hostname are several records', async () => {
      assert.deepEqual(await data(`twice.peers.${DOMAIN}`, 'A'), ['10.9.0.4', '10.9.0.5']);
    });
    it('2.4.1 AAAA records where endpoints have IPv6 addresses', async () => {
      assert.deepEqual(await data(`peers.${DOMAIN}`, 'AAAA'), ['fd00::1', 'fd00::2']);
      assert.deepEqual(await data(`first.peers.${DOMAIN}`, 'AAAA'), ['fd00::1']);
      assert.equal(await statusOf(`set.${DOMAIN}`, 'AAAA'), 'NODATA');
    });
    it('2.4.2 an SRV record for each combination of ready endpoint and named port', async () => {
      const { answer, additional } = await ask(`_http._tcp.peers.${DOMAIN}`, 'SRV');
      // An endpoint with several addresses, of whichever families, is one name and one record.
      const targets = dataOf(answer).map((each) => each.split(' ').slice(2).join(' '));
      assert.deepEqual(
        targets.sort(),
        ['10-9-0-2', 'fd00--2', 'first', 'twice'].map((host) => `8080 ${host}.peers.${DOMAIN}.`),
      );
      assert.deepEqual(dataOf(additional), [
        ...['10.9.0.1', '10.9.0.2', '10.9.0.4', '10.9.0.5'],
        ...['fd00::1', 'fd00::2'],
      ]);
    });
    it('2.4.3 a PTR record leads from a ready endpoint to its name', async () => {
      assert.deepEqual(await data('11.0.244.10.in-addr.arpa', 'PTR'), [`set-1.set.${DOMAIN}.`]);
      assert.deepEqual(await data('13.0.244.10.in-addr.arpa', 'PTR'), [`10-244-0-13.set.${DOMAIN}.`]);
      assert.equal(await statusOf('12.0.244.10.in-addr.arpa', 'PTR'), 'NXDOMAIN');
      const { answer } = await ask('-x', 'fd00::1');
      assert.deepEqual(dataOf(answer), [`first.peers.${DOMAIN}.`]);
    });
    it('Services without selector have the endpoints that others write, in slices or in Endpoints', async () => {
      assert.deepEqual(await data(`peers.${DOMAIN}`, 'A'), ['10.9.0.1', '10.9.0.2', '10.9.0.4', '10.9.0.5']);
      assert.deepEqual(await data(`legacy.${DOMAIN}`, 'A'), ['10.99.2.1', '10.99.2.2']);
      assert.deepEqual(await data(`primary.legacy.${DOMAIN}`, 'A'), ['10.99.2.1']);
      assert.equal(await statusOf(`late.legacy.${DOMAIN}`), 'NXDOMAIN');
      assert.equal((await data(`_pg._tcp.legacy.${DOMAIN}`, 'SRV')).length, 2);
    });
  });

  describe('2.5 records for ExternalName Services', () => {
    it('a CNAME record points to the external name', async () => {
      assert.deepEqual(await data(`far.${DOMAIN}`, 'CNAME'), ['www.example.org.']);
    });
    it('the whole chain is answered, however many aliases it has', async () => {
      const far = await ask(`far.${DOMAIN}`, 'A');
      assert.deepEqual(dataOf(far.answer), ['192.0.2.53', 'www.example.org.']);
      assert.ok(!far.flags.includes('aa'));
      const { answer } = await ask(`nearer.${DOMAIN}`, 'A');
      assert.deepEqual(
        answer.map((record) => record.split(' ').slice(3).join(' ')),
        [`CNAME near.${DOMAIN}.`, `CNAME set-0.set.${DOMAIN}.`, 'A 10.244.0.10'],
      );
    });
    it('a circle ends', async () => {
      assert.deepEqual(await data(`circle.${DOMAIN}`, 'A'), [`circle.${DOMAIN}.`]);
    });
    it('it has no endpoints and no ports', async () => {
      for (const name of ['x.far', '_http._tcp.far'])
        assert.equal(await statusOf(`${name}.${DOMAIN}`, 'SRV'), 'NXDOMAIN', name);
    });
  });

  describe('2.6 deprecated records', () => {
    it('an A record of a pod for any address, in a namespace that there is', async () => {
      assert.deepEqual(await data('1-2-3-4.default.pod.cluster.local', 'A'), ['1.2.3.4']);
      assert.deepEqual(await data('0-0-0-255.default.pod.cluster.local', 'A'), ['0.0.0.255']);
      for (const name of ['1-2-3-256.default', '1-2-3.default', 'web-0.default', '1-2-3-4.nowhere'])
        assert.equal(await statusOf(`${name}.pod.cluster.local`), 'NXDOMAIN', name);
    });
    it('and an AAAA record, for IPv6', async () => {
      assert.deepEqual(await data('fd00--7.default.pod.cluster.local', 'AAAA'), ['fd00::7']);
      assert.deepEqual(await data('1-2-3-4-5-6-7-8.default.pod.cluster.local', 'AAAA'), ['1:2:3:4:5:6:7:8']);
      assert.equal(await statusOf('fd00--7.default.pod.cluster.local', 'A'), 'NODATA');
    });
  });

  describe('negative answers', () => {
    it('say with an SOA how long they may be believed: not at all where a peer may become ready', async () => {
      const names = [`set-2.set.${DOMAIN}`, `set-9.set.${DOMAIN}`, `empty.${DOMAIN}`, `new.${DOMAIN}`];
      for (const name of [...names, 'set.new.svc.cluster.local', `_x._tcp.set.${DOMAIN}`]) {
        const { authority, status } = await ask(name, 'A');
        assert.equal(status, 'NXDOMAIN', name);
        assert.match(authority.join(), /^cluster\.local\. 0 IN SOA ns\.dns\.cluster\.local\. .* 0$/, name);
      }
      const { authority } = await ask(`set.${DOMAIN}`, 'AAAA');
      assert.match(authority.join(), /^cluster\.local\. 0 IN SOA .* 0$/);
      assert.match((await ask('x.cluster.local', 'A')).authority.join(), / 5 IN SOA .* 5$/);
    });
    it('a name above others exists, without records (NODATA)', async () => {
      const names = ['cluster.local', 'svc.cluster.local', DOMAIN, 'pod.cluster.local'];
      for (const name of [
        ...names,
        'default.pod.cluster.local',
        `_tcp.plain.${DOMAIN}`,
        `_tcp.set.${DOMAIN}`,
      ])
        assert.equal(await statusOf(name), 'NODATA', name);
      for (const name of ['x.cluster.local', 'nowhere.svc.cluster.local', `_udp.set.${DOMAIN}`])
        assert.equal(await statusOf(name), 'NXDOMAIN', name);
    });
    it('a type that a name has none of is NODATA, whichever it is', async () => {
      for (const type of ['AAAA', 'MX', 'TXT', 'NS', 'SOA', 'PTR', 'CNAME', 'CAA', 'HTTPS', 'TYPE4711'])
        assert.equal(await statusOf(`plain.${DOMAIN}`, type), 'NODATA', type);
    });
    it('the domain has SOA and NS, with the server’s address', async () => {
      assert.match((await data('cluster.local', 'SOA')).join(), /^ns\.dns\.cluster\.local\. hostmaster/);
      const { answer, additional } = await ask('cluster.local', 'NS');
      assert.deepEqual([dataOf(answer), dataOf(additional)], [['ns.dns.cluster.local.'], ['127.0.0.1']]);
    });
    it('ANY is answered with what there is', async () => {
      assert.deepEqual(await data(`plain.${DOMAIN}`, 'ANY'), ['10.96.0.7']);
      assert.equal(await statusOf(`nobody.${DOMAIN}`, 'ANY'), 'NXDOMAIN');
    });
  });

  describe('the protocol', () => {
    it('addresses come in another order each time, and all of them', async () => {
      const name = `set.${DOMAIN}`;
      const first = new Set<string>();
      for (let round = 0; round < 40; round++) {
        const { answer } = await ask(name, 'A');
        assert.equal(new Set(answer).size, 3);
        first.add(answer[0] ?? '');
      }
      assert.equal(first.size, 3);
      const six = new Set<string>();
      for (let round = 0; round < 40; round++) six.add((await ask(`peers.${DOMAIN}`, 'AAAA')).answer.join());
      assert.equal(six.size, 2);
    });
    it('EDNS is answered with EDNS, and only that; DO changes nothing', async () => {
      const { edns, answer, flags } = await ask(`plain.${DOMAIN}`, 'A', '+bufsize=4096', '+dnssec');
      assert.match(edns, /^EDNS: version: 0, flags:;? ?.*udp: 1232$/);
      assert.deepEqual([dataOf(answer), flags.includes('ad')], [['10.96.0.7'], false]);
      assert.equal((await ask(`plain.${DOMAIN}`, 'A', '+noedns')).edns, '');
    });
    it('an EDNS version that nobody knows is BADVERS', async () => {
      assert.equal((await ask(`plain.${DOMAIN}`, 'A', '+edns=1', '+noednsneg')).status, 'BADVERS');
      assert.deepEqual(dataOf((await ask(`plain.${DOMAIN}`, 'A', '+edns=1')).answer), ['10.96.0.7']);
    });
    it('EDNS options that nobody knows are passed over', async () => {
      const { answer } = await ask(`plain.${DOMAIN}`, 'A', '+ednsopt=65001:cafe', '+cookie', '+nsid');
      assert.deepEqual(dataOf(answer), ['10.96.0.7']);
    });
    it('an answer is cut at 512 bytes, or at the size that is asked for, and says so', async () => {
      for (const [size, args] of [
        [512, ['+noedns']],
        [512, ['+bufsize=100']],
        [800, ['+bufsize=800']],
        [1232, ['+bufsize=4096']],
      ] as const) {
        const cut = await ask(`many.${DOMAIN}`, 'A', '+ignore', ...args);
        assert.ok(cut.flags.includes('tc'), `${args}`);
        assert.ok(cut.size <= size && cut.size > size - 40, `${args}: ${cut.size}`);
      }
    });
    it('TCP is the way out, with the same answers', async () => {
      const { answer, flags, transport } = await ask(`many.${DOMAIN}`, 'A');
      assert.deepEqual([answer.length, flags.includes('tc'), transport], [90, false, 'TCP']);
      for (const [name, type] of [
        [`set.${DOMAIN}`, 'A'],
        [`_http._tcp.peers.${DOMAIN}`, 'SRV'],
        [`nobody.${DOMAIN}`, 'A'],
        [`far.${DOMAIN}`, 'A'],
        ['www.example.org', 'A'],
      ] as const) {
        const [udp, tcp] = [await ask(name, type), await ask(name, type, '+tcp')];
        const facts = (dug: Dug): unknown => [dug.status, dataOf(dug.answer), dataOf(dug.additional)];
        assert.deepEqual(facts(tcp), facts(udp), name);
      }
    });
    it('names are compressed', async () => {
      // Each address takes 16 bytes: a pointer in place of a name, type, class, TTL, length and four bytes.
      const { size } = await ask(`many.${DOMAIN}`, 'A', '+tcp', '+noedns');
      assert.equal(size, 12 + `many.${DOMAIN}`.length + 2 + 4 + 90 * 16);
    });
    it('classes other than IN are refused, ANY is IN', async () => {
      for (const name of ['version.bind', `plain.${DOMAIN}`])
        assert.equal((await ask(name, '-c', 'CH', '-t', 'TXT')).status, 'REFUSED', name);
      assert.deepEqual(dataOf((await ask(`plain.${DOMAIN}`, '-c', 'ANY', '-t', 'A')).answer), ['10.96.0.7']);
    });
    it('what is no question is NOTIMP, transfers are REFUSED', async () => {
      for (const opcode of ['STATUS', 'NOTIFY', 'UPDATE', '15'])
        assert.equal((await ask(`plain.${DOMAIN}`, 'A', `+opcode=${opcode}`)).status, 'NOTIMP', opcode);
      assert.match((await ask('cluster.local', 'AXFR')).text, /Transfer failed/);
    });
    it('no question is FORMERR', async () => {
      assert.equal((await ask('+header-only')).status, 'FORMERR');
    });
    it('an answer says whether recursion was asked for', async () => {
      assert.ok((await ask(`plain.${DOMAIN}`, 'A')).flags.includes('rd'));
      assert.ok(!(await ask(`plain.${DOMAIN}`, 'A', '+norecurse')).flags.includes('rd'));
    });
  });
});
