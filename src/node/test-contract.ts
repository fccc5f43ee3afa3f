// What every runtime must do, as one suite of tests: the agent, and the simulator that is to say something of it, go by
// it. A runtime's own test file calls it with a way to open one; what only that runtime can do is tested there.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Container, ContainerSpec, Runtime, Sandbox, SandboxSpec } from './runtime.ts';
import { ImagePullError } from './runtime.ts';

/** A runtime, and what the suite has to know of it. */
export interface RuntimeUnderTest {
  runtime: Runtime;
  /** One that is present. */
  image: string;
  /** One that cannot be pulled. */
  missingImage: string;
  logDirectory: string;
  /** Of a container that runs until it is asked to stop, and then ends with 0. */
  command: string[];
  /** Resolves when such a container, which has been started, heeds signals. */
  heeds(containerId: string): Promise<void>;
  /** Lets such a container end by itself. */
  end(containerId: string, exitCode: number): Promise<void>;
  /** A new client of the same runtime, as a stead that was started again has one. */
  reopen(): Promise<Runtime>;
  /** The command that runs a script; left out where containers have no processes. */
  shell?(script: string): string[];
}

/** What tells a container's end is milliseconds behind it. */
const NEWS_LIMIT_MS = 10_000;

async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  for (const limit = performance.now() + NEWS_LIMIT_MS; !(await holds()); await pause(5)) {
    if (performance.now() > limit) throw new Error(`waited in vain for: ${what}`);
  }
}

/** Sorted by ID, so that two lists of the same are equal. */
const byId = <T extends { id: string }>(list: T[]): T[] => list.sort((a, b) => (a.id < b.id ? -1 : 1));

/**
 * Declares the suite.
 * @param open is given the test's context, to take down what it has put up.
 * @param skip why it cannot run here.
 */
export function runtimeContract(
  name: string,
  open: (context: TestContext) => Promise<RuntimeUnderTest>,
  skip?: string,
): void {
  test(`${name}: the contract of runtimes`, { skip: skip ?? false, timeout: 180_000 }, async (context) => {
    const world = await open(context);
    const { runtime, image, missingImage } = world;
    const imageId = (await runtime.imageStatus(image))?.id ?? '';
    let pods = 0;

    const sandboxSpec = (over: Partial<SandboxSpec> = {}): SandboxSpec => {
      const podUid = over.podUid ?? `contract-uid-${++pods}`;
      return {
        podUid,
        namespace: 'default',
        name: podUid.replace('-uid', ''),
        attempt: 0,
        hostname: 'contract',
        hostNetwork: false,
        hostPid: false,
        hostIpc: false,
        shareProcessNamespace: false,
        privileged: false,
        labels: { 'io.kubernetes.pod.uid': podUid },
        annotations: {},
        dns: { servers: [], searches: [], options: [] },
        portMappings: [],
        logDirectory: join(world.logDirectory, podUid),
        cgroupParent: `besteffort/pod${podUid}`,
        sysctls: {},
        supplementalGroups: [],
        ...over,
      };
    };
    const containerSpec = ({ podUid }: SandboxSpec, over: Partial<ContainerSpec> = {}): ContainerSpec => ({
      name: 'app',
      attempt: 0,
      image,
      imageId,
      command: world.command,
      args: [],
      workingDir: '',
      env: [],
      mounts: [],
      labels: { 'io.kubernetes.pod.uid': podUid, 'io.kubernetes.container.name': 'app' },
      annotations: {},
      stdin: false,
      stdinOnce: false,
      tty: false,
      resources: { cpuShares: 2, cpuQuotaUs: 0, memoryLimitBytes: 0, oomScoreAdj: 0 },
      security: {
        privileged: false,
        readOnlyRootFilesystem: false,
        allowPrivilegeEscalation: true,
        supplementalGroups: [],
        addCapabilities: [],
        dropCapabilities: [],
        seccomp: { type: 'unconfined' },
      },
      ...over,
    });

    /** A sandbox with the means to run containers in it; removed with the case. */
    async function pod(of: TestContext, spec = sandboxSpec()) {
      const sandbox = await runtime.runSandbox(spec);
      of.after(() => runtime.removeSandbox(sandbox.id));
      const create = (over: Partial<ContainerSpec> = {}) =>
        runtime.createContainer(sandbox, spec, containerSpec(spec, over));
      const run = async (over: Partial<ContainerSpec> = {}): Promise<string> => {
        const id = await create(over);
        await runtime.startContainer(id);
        if (over.command === undefined) await world.heeds(id);
        return id;
      };
      return { sandbox, spec, create, run };
    }
    async function container(id: string): Promise<Container> {
      const found = await runtime.container(id);
      assert.ok(found, `container ${id} is known`);
      return found;
    }
    const ended = (id: string): Promise<void> =>
      until(`the end of ${id}`, async () => (await container(id)).state === 'exited');
    const it = (what: string, check: (of: TestContext) => Promise<void>, unless: string | false = false) =>
      context.test(what, { skip: unless }, check);
    const unlessProcesses = world.shell === undefined && 'containers have no processes in this runtime';
    const shell = (script: string): string[] => world.shell?.(script) ?? [];

    await it('says what it is', async () => {
      const { name, version } = await runtime.info();
      assert.ok(name && version);
      assert.equal(runtime.name, name, 'what statuses say of its containers is what it says itself');
    });

    await it('a sandbox is run, told, stopped and removed, and whoever asks twice is not refused', async (of) => {
      const spec = sandboxSpec({ attempt: 3 });
      const { sandbox } = await pod(of, spec);
      const { createdAtMs, id, ips, ...rest } = sandbox;
      const { podUid, namespace, name } = spec;
      assert.deepEqual(rest, { podUid, namespace, name, attempt: 3, ready: true });
      assert.match(ips.join(), /^\d+\.\d+\.\d+\.\d+$/);
      assert.ok(Math.abs(createdAtMs - Date.now()) < 60_000);
      assert.deepEqual(await runtime.sandbox(id), sandbox);
      assert.deepEqual(
        (await runtime.listSandboxes()).filter((each) => each.id === id),
        [sandbox],
      );
      for (const _ of [1, 2]) {
        await runtime.stopSandbox(id);
        assert.deepEqual(await runtime.sandbox(id), { ...sandbox, ready: false, ips: [] });
      }
      for (const _ of [1, 2]) {
        await runtime.removeSandbox(id);
        assert.equal(await runtime.sandbox(id), undefined);
      }
      assert.ok((await runtime.listSandboxes()).every((each) => each.id !== id));
    });

    await it("on the host's network a sandbox has no address of its own", async (of) => {
      assert.deepEqual((await pod(of, sandboxSpec({ hostNetwork: true }))).sandbox.ips, []);
    });

    await it('one attempt of a pod has one sandbox, and the next attempt another', async (of) => {
      const { sandbox, spec } = await pod(of);
      await assert.rejects(runtime.runSandbox(spec), /reserved/);
      await runtime.stopSandbox(sandbox.id);
      await assert.rejects(runtime.runSandbox(spec), /reserved/);
      const next = await pod(of, { ...spec, attempt: 1 });
      const attempts = (await runtime.listSandboxes())
        .filter(({ podUid }) => podUid === spec.podUid)
        .map(({ attempt, id, ready }) => `${attempt} ${id} ${ready}`);
      assert.deepEqual(attempts.sort(), [`0 ${sandbox.id} false`, `1 ${next.sandbox.id} true`]);
    });

    await it('two askers at once get one sandbox', async (of) => {
      const spec = sandboxSpec();
      const both = await Promise.allSettled([pod(of, spec), pod(of, spec)]);
      assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    });

    await it('a runtime handler that is not there is refused', async () => {
      const spec = sandboxSpec({ runtimeHandler: 'nowhere' });
      await assert.rejects(runtime.runSandbox(spec), /no runtime for "nowhere" is configured/);
      assert.ok((await runtime.listSandboxes()).every(({ podUid }) => podUid !== spec.podUid));
    });

    await it('a container is created, started, stopped and removed, and whoever asks twice is not refused', async (of) => {
      const { create, sandbox, spec } = await pod(of);
      const id = await create();
      const created = await container(id);
      const { createdAtMs, image: named, labels, ...rest } = created;
      assert.ok(named.includes(image));
      assert.equal(labels['io.kubernetes.pod.uid'], spec.podUid);
      const identity = { id, sandboxId: sandbox.id, podUid: spec.podUid, name: 'app', attempt: 0, imageId };
      const unfinished = { finishedAtMs: 0, exitCode: 0, reason: '', message: '' };
      assert.deepEqual(rest, { ...identity, ...unfinished, state: 'created', startedAtMs: 0 });

      await runtime.stopContainer(id, 1);
      assert.equal((await container(id)).state, 'created', 'what does not run is not stopped');

      await runtime.startContainer(id);
      const running = await container(id);
      const { startedAtMs } = running;
      assert.ok(startedAtMs >= createdAtMs);
      assert.deepEqual(running, { ...created, state: 'running', startedAtMs });
      await assert.rejects(runtime.startContainer(id), 'it runs already');

      await world.heeds(id);
      await runtime.stopContainer(id, 20);
      const exited = await container(id);
      assert.ok(exited.finishedAtMs >= startedAtMs);
      const { finishedAtMs } = exited;
      assert.deepEqual(exited, { ...running, state: 'exited', reason: 'Completed', finishedAtMs });
      await runtime.stopContainer(id, 20);
      assert.deepEqual(await container(id), exited, 'it is not stopped again');
      assert.deepEqual(
        (await runtime.listContainers()).filter((each) => each.id === id),
        [exited],
      );
      for (const _ of [1, 2]) {
        await runtime.removeContainer(id);
        assert.equal(await runtime.container(id), undefined);
      }
      assert.ok((await runtime.listContainers()).every((each) => each.id !== id));
    });

    await it('a container that ends by itself tells its exit code, and why', async (of) => {
      const { run } = await pod(of);
      const ids = [await run(), await run({ name: 'other' })];
      for (const [index, exitCode] of [0, 3].entries()) {
        const id = ids[index] ?? '';
        await world.end(id, exitCode);
        await ended(id);
        const found = await container(id);
        assert.deepEqual([found.exitCode, found.reason], [exitCode, exitCode === 0 ? 'Completed' : 'Error']);
      }
    });

    await it('a container runs once; its next attempt is another one', async (of) => {
      const { create, run } = await pod(of);
      const first = await run();
      await assert.rejects(create(), /reserved/);
      await world.end(first, 1);
      await ended(first);
      await assert.rejects(runtime.startContainer(first));
      await assert.rejects(create(), /reserved/);
      const second = await run({ attempt: 1 });
      assert.deepEqual(
        await Promise.all([first, second].map(async (id) => [(await container(id)).attempt, id])),
        [
          [0, first],
          [1, second],
        ],
      );
      assert.equal((await container(second)).state, 'running');
      await runtime.removeContainer(first);
      assert.equal((await container(second)).state, 'running');
    });

    await it('without grace a container is killed', async (of) => {
      const id = await (await pod(of)).run();
      await runtime.stopContainer(id, 0);
      const { exitCode, reason, state } = await container(id);
      assert.deepEqual([state, exitCode, reason], ['exited', 137, 'Error']);
    });

    await it(
      'one that does not heed the signal is killed when its grace is over',
      async (of) => {
        const command = shell("trap '' TERM; echo deaf; while true; do sleep 0.05; done");
        const { run, spec } = await pod(of);
        const id = await run({ command });
        const log = join(spec.logDirectory, 'app', '0.log');
        await until('its trap', async () => (await readFile(log, 'utf8')).includes('deaf'));
        const askedAt = performance.now();
        await runtime.stopContainer(id, 1);
        assert.ok(performance.now() - askedAt >= 950);
        assert.equal((await container(id)).exitCode, 137);
      },
      unlessProcesses,
    );

    await it('a running container may be removed', async (of) => {
      const id = await (await pod(of)).run();
      await runtime.removeContainer(id);
      assert.equal(await runtime.container(id), undefined);
    });

    await it('a sandbox that is stopped kills its containers, and one that is removed takes them along', async (of) => {
      const { create, run, sandbox } = await pod(of);
      const ids = [await run(), await create({ name: 'created' })];
      await runtime.stopSandbox(sandbox.id);
      const [running, created] = await Promise.all(ids.map(container));
      assert.deepEqual([running?.state, running?.exitCode, running?.reason], ['exited', 137, 'Error']);
      assert.equal(created?.state, 'created');
      await assert.rejects(create({ name: 'late' }), 'nothing runs in it any more');
      await runtime.removeSandbox(sandbox.id);
      assert.deepEqual(await Promise.all(ids.map((id) => runtime.container(id))), [undefined, undefined]);
    });

    await it('of what is not there nothing is known; to stop or remove it is done, all else is refused', async () => {
      const spec = sandboxSpec();
      const nowhere: Sandbox = {
        ...{ id: 'nowhere', podUid: spec.podUid, namespace: 'default', name: spec.name, attempt: 0 },
        ...{ ready: true, createdAtMs: 0, ips: [] },
      };
      assert.equal(await runtime.sandbox('nowhere'), undefined);
      assert.equal(await runtime.container('nowhere'), undefined);
      await runtime.stopSandbox('nowhere');
      await runtime.removeSandbox('nowhere');
      await runtime.stopContainer('nowhere', 1);
      await runtime.removeContainer('nowhere');
      const { resources } = containerSpec(spec);
      const options = { stdin: false, stdout: true, stderr: true, tty: false };
      await assert.rejects(runtime.startContainer('nowhere'));
      await assert.rejects(runtime.createContainer(nowhere, spec, containerSpec(spec)));
      await assert.rejects(runtime.updateResources('nowhere', resources));
      await assert.rejects(runtime.execSync('nowhere', ['true'], 1000));
      await assert.rejects(runtime.exec('nowhere', { ...options, command: ['true'] }));
      await assert.rejects(runtime.attach('nowhere', options));
      await assert.rejects(runtime.portForward('nowhere', 80));
    });

    await it('a new client knows what the one before it has made', async (of) => {
      const { run, sandbox } = await pod(of);
      const running = await run();
      const over = await run({ name: 'over' });
      await world.end(over, 2);
      await ended(over);
      const sandboxes = byId(await runtime.listSandboxes());
      const containers = byId(await runtime.listContainers());
      const told = await Promise.all([running, over].map(container));
      const anew = await world.reopen();
      of.after(() => anew.close());
      assert.deepEqual(await Promise.all([running, over].map((id) => anew.container(id))), told);
      assert.deepEqual(byId(await anew.listContainers()), containers);
      assert.deepEqual(byId(await anew.listSandboxes()), sandboxes);
      assert.deepEqual(await anew.sandbox(sandbox.id), sandbox);
      const news: string[] = [];
      anew.onChange((podUid) => news.push(podUid));
      await world.end(running, 5);
      await until('the news of an end', () => news.includes(sandbox.podUid));
      assert.equal((await anew.container(running))?.exitCode, 5);
    });

    await it('an end is told to all who listen, with the state to be read by then', async (of) => {
      const { run, sandbox } = await pod(of);
      const news: Array<[string, string | undefined]> = [];
      const id = await run();
      const unlisten = runtime.onChange((podUid) => {
        void runtime.container(id).then((found) => news.push([podUid, found?.state]));
      });
      const others: string[] = [];
      of.after(runtime.onChange((podUid) => others.push(podUid)));
      const second = await run({ name: 'second' });
      await world.end(id, 0);
      await until('the news of an end', () => news.length > 0 && others.length > 0);
      assert.deepEqual(news[0], [sandbox.podUid, 'exited']);
      unlisten();
      const heard = news.length;
      others.length = 0;
      await runtime.stopContainer(second, 10);
      await until('the news of a stop', () => others.includes(sandbox.podUid));
      assert.equal(news.length, heard);
    });

    await it('resources of a running container may be changed', async (of) => {
      const { run, spec } = await pod(of);
      const id = await run();
      await runtime.updateResources(id, {
        ...containerSpec(spec).resources,
        memoryLimitBytes: 64 * 1024 ** 2,
      });
      assert.equal((await container(id)).state, 'running');
    });

    await it('images: what is there, what is not, and what cannot be had', async (of) => {
      await (await pod(of)).create();
      const found = await runtime.imageStatus(image);
      assert.ok(found?.tags.some((tag) => tag.includes(image)));
      assert.ok((await runtime.listImages()).some(({ id }) => id === found?.id));
      assert.equal(await runtime.imageStatus(missingImage), undefined);
      await assert.rejects(runtime.pullImage(missingImage, undefined), ImagePullError);
      await runtime.removeImage(missingImage);
    });

    await it('nothing is executed in a container that does not run', async (of) => {
      const { create, run } = await pod(of);
      const created = await create();
      const over = await run({ name: 'over' });
      await world.end(over, 0);
      await ended(over);
      for (const id of [created, over]) {
        await assert.rejects(runtime.execSync(id, ['true'], 1000));
        const streams = { stdin: false, stdout: true, stderr: true, tty: false };
        await assert.rejects(async () => {
          const session = await runtime.exec(id, { ...streams, command: ['true'] });
          const { error } = await session.exit;
          if (error) throw new Error(error);
        });
      }
    });

    await it(
      'a command tells its output and its exit code, and is ended when its time is over',
      async (of) => {
        const id = await (await pod(of)).run();
        assert.deepEqual(await runtime.execSync(id, shell('echo out; echo err >&2; exit 7'), 10_000), {
          exitCode: 7,
          output: 'out\nerr\n',
          timedOut: false,
        });
        const late = await runtime.execSync(id, shell('sleep 60'), 1000);
        assert.equal(late.timedOut, true);
        const session = await runtime.exec(id, {
          command: shell('read line; echo "got $line"; echo oops >&2; exit 3'),
          ...{ stdin: true, stdout: true, stderr: true, tty: false },
        });
        session.stdin?.write('something\n');
        const [out, err, exit] = await Promise.all([
          text(session.stdout ?? Readable.from([])),
          text(session.stderr ?? Readable.from([])),
          session.exit,
        ]);
        assert.deepEqual([out, err, exit], ['got something\n', 'oops\n', { exitCode: 3 }]);
      },
      unlessProcesses,
    );

    await it(
      'a port of the pod is reached; one that nobody listens on says so',
      async (of) => {
        const { run, sandbox } = await pod(of);
        await run({ command: shell('while true; do echo hello | nc -l -p 8080; done') });
        const greeting = async (): Promise<string> =>
          text(await runtime.portForward(sandbox.id, 8080)).catch(() => '');
        await until('the server', async () => (await greeting()) === 'hello\n');
        const closed = await runtime.portForward(sandbox.id, 8081);
        closed.resume();
        await once(closed, 'error');
      },
      unlessProcesses,
    );

    await it(
      'what a container says is in the log of its attempt, and in a new one when the old was moved away',
      async (of) => {
        const { run, spec } = await pod(of);
        const id = await run({
          command: shell('trap "exit 0" TERM; while true; do echo said; sleep 0.05; done'),
          attempt: 2,
        });
        const file = join(spec.logDirectory, 'app', '2.log');
        const speaks = (): Promise<void> =>
          until('a line', async () => / stdout F said\n/.test(await readFile(file, 'utf8').catch(() => '')));
        await speaks();
        await rename(file, `${file}.old`);
        await runtime.reopenLog?.(id);
        await speaks();
      },
      runtime.reopenLog === undefined && 'this runtime writes no logs',
    );
  });
}
