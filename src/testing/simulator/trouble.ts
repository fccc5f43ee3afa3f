// What can go wrong, as single steps that dice choose among: weather, crashes, lost machines, and people. Each sees to
// it that it ends by itself, or that `makeGood` can end it.

import type { Pod, StatefulSet } from '../../api/generated/types.ts';
import type { Random } from '../../base/clock.ts';
import { present } from '../../base/present.ts';
import { anyWeather, between, CALM, pick } from './faults.ts';
import { CRASHING_IMAGE, type Machine } from './machine.ts';
import { imageOf } from './scenario.ts';
import type { Users } from './users.ts';
import type { World } from './world.ts';

type Step = (trouble: Trouble) => Promise<unknown> | unknown;

export class Trouble {
  readonly world: World;
  readonly random: Random;
  readonly users: Users;
  readonly sets: readonly string[];
  /** All is well again, but for what was begun before. */
  isOver = false;
  readonly #cordoned = new Set<string>();
  readonly #fenced = new Set<string>();
  readonly #missing = new Set<string>();
  /** Sets that had a bad template at some time. */
  readonly #wasBad = new Set<string>();
  #version = 0;

  constructor(world: World, random: Random, users: Users, sets: readonly string[]) {
    this.world = world;
    this.random = random;
    this.users = users;
    this.sets = sets;
  }

  /** Lets one thing happen. */
  async strike(): Promise<void> {
    await pick(this.random, STEPS)(this);
  }

  /** All faults end: everything runs, everything is reachable, every image is there, and no set wants a bad one. */
  async makeGood(): Promise<void> {
    const { world, users } = this;
    this.isOver = true;
    world.trace.note('all is well from here on');
    world.weather = CALM;
    world.isControlPlaneCut = false;
    world.api.start();
    world.startControlPlane();
    for (const image of this.#missing) this.setMissing(image, false);
    for (const node of this.#cordoned) await users.cordon(node, false);
    for (const node of this.#fenced) await users.fence(node, false);
    for (const machine of world.machines) {
      machine.isCut = false;
      machine.powerOn();
      machine.endSilence();
    }
    for (const set of this.sets) await this.makeSetGood(set);
  }

  /** A bad template is replaced by a good one, and what does not follow by itself is seen to. */
  async makeSetGood(name: string): Promise<void> {
    const { truth } = this.world;
    const set = truth.sets.get(name);
    const [app] = set?.spec.template.spec?.containers ?? [];
    if (!set) return;
    const isBad = app?.image === CRASHING_IMAGE;
    if (isBad) await this.users.rollOut(name, this.newImage());
    // Below the partition, pods stay at a bad template, and are made from it again, if the set was made with one.
    if (this.#wasBad.has(name) && set.spec.updateStrategy?.rollingUpdate?.partition) {
      await this.users.change(name, { updateStrategy: { rollingUpdate: { partition: 0 } } });
    }
    if (set.spec.updateStrategy?.type !== 'OnDelete') return;
    // With OnDelete it is for people to replace pods that were made from one; again and again, since the controller may
    // make them again before it has heard of the good template: after an outage its informers try once a minute.
    await this.#deleteBadPods(name);
    for (const afterMs of [60_000, 240_000]) this.later(afterMs, afterMs, () => this.#deleteBadPods(name));
  }

  async #deleteBadPods(setName: string): Promise<void> {
    const { truth } = this.world;
    const set = truth.sets.get(setName);
    const bad = set ? [...truth.podsOf(set).values()].filter(runsBadImage) : [];
    for (const pod of bad) await this.users.deletePod(pod.metadata.name);
  }

  /** Happens so much later, if the world is still there. */
  later(lowMs: number, highMs: number, action: () => Promise<unknown> | unknown): void {
    this.world.clock.after(between(this.random, lowMs, highMs), () => void action());
  }

  note(text: string): void {
    this.world.trace.note(`fault: ${text}`);
  }

  anyMachine(): Machine {
    return pick(this.random, this.world.machines);
  }

  anySet(): string {
    return pick(this.random, this.sets);
  }

  rollOutBad(set: string): Promise<boolean> {
    this.#wasBad.add(set);
    return this.users.rollOut(set, CRASHING_IMAGE);
  }

  newImage(): string {
    return imageOf(++this.#version);
  }

  oldImage(): string {
    return imageOf(between(this.random, 0, this.#version));
  }

  setMissing(image: string, missing: boolean): void {
    if (missing) this.#missing.add(image);
    else this.#missing.delete(image);
    for (const machine of this.world.machines) machine.runtime.setMissing(image, missing);
  }

  async cordon(node: string): Promise<void> {
    const unschedulable = !this.#cordoned.has(node);
    if (!(await this.users.cordon(node, unschedulable))) return;
    if (unschedulable) this.#cordoned.add(node);
    else this.#cordoned.delete(node);
  }

  /** A person has seen that the machine is off. */
  async fence(machine: Machine): Promise<void> {
    if (!machine.isPowered && (await this.users.fence(machine.name, true))) this.#fenced.add(machine.name);
  }

  async powerOn(machine: Machine): Promise<void> {
    if (machine.isPowered) return;
    this.note(`power on ${machine.name}`);
    if (this.#fenced.has(machine.name) && (await this.users.fence(machine.name, false))) {
      this.#fenced.delete(machine.name);
    }
    machine.powerOn();
  }
}

const runsBadImage = (pod: Pod): boolean => pod.spec.containers[0]?.image === CRASHING_IMAGE;

const setWeather: Step = (trouble) => {
  const weather = anyWeather(trouble.random);
  trouble.note(`weather: ${weather.name}`);
  trouble.world.weather = weather;
};

const restartApiServer: Step = (trouble) => {
  const { api } = trouble.world;
  trouble.note('the API server goes');
  api.stop();
  trouble.later(0, 15_000, () => api.start());
};

const killControlPlane: Step = (trouble) => {
  const { world, random } = trouble;
  const calls = between(random, 0, 20) / 2;
  trouble.note(`the control plane dies within ${calls} calls`);
  world.killControlPlaneAfter(calls);
  trouble.later(1_000, 20_000, () => {
    world.killControlPlane();
    world.startControlPlane();
  });
};

const cutControlPlane: Step = (trouble) => {
  const { world } = trouble;
  trouble.note('the control plane is cut off');
  world.isControlPlaneCut = true;
  trouble.later(1_000, 60_000, () => {
    world.isControlPlaneCut = false;
  });
};

const killAgent: Step = (trouble) => {
  const machine = trouble.anyMachine();
  const calls = between(trouble.random, 0, 12) / 2;
  trouble.note(`the agent of ${machine.name} dies within ${calls} calls`);
  machine.killAgentAfter(calls);
  trouble.later(1_000, 60_000, () => {
    if (!machine.isPowered) return;
    machine.killAgent();
    machine.startAgent();
  });
};

const cutMachine: Step = (trouble) => {
  const machine = trouble.anyMachine();
  const longest = pick(trouble.random, [10_000, 90_000, 500_000]);
  trouble.note(`${machine.name} is cut off`);
  machine.isCut = true;
  trouble.later(1_000, longest, () => {
    machine.isCut = false;
  });
};

const rebootMachine: Step = (trouble) => {
  const machine = trouble.anyMachine();
  trouble.note(`${machine.name} reboots`);
  machine.powerOff();
  trouble.later(5_000, 40_000, () => trouble.powerOn(machine));
};

const loseMachine: Step = (trouble) => {
  const machine = trouble.anyMachine();
  trouble.note(`${machine.name} is off`);
  machine.powerOff();
  const what = trouble.random.next();
  if (what < 0.5) trouble.later(10_000, 120_000, () => trouble.fence(machine));
  else if (what < 0.7)
    trouble.later(10_000, 120_000, () => !machine.isPowered && trouble.users.deleteNode(machine.name));
  trouble.later(60_000, 500_000, () => trouble.powerOn(machine));
};

const crashContainer: Step = async (trouble) => {
  const machine = trouble.anyMachine();
  trouble.note(`a container on ${machine.name} ends`);
  await machine.crashContainer(trouble.random.next() < 0.3 ? 0 : 1);
};

const flap: Step = async (trouble) => {
  const machine = trouble.anyMachine();
  trouble.note(`a pod on ${machine.name} does not answer`);
  await machine.silence(between(trouble.random, 5_000, 60_000));
};

const scale: Step = (trouble) => trouble.users.scale(trouble.anySet(), between(trouble.random, 0, 5));

const rollOut: Step = async (trouble) => {
  const kind = trouble.random.next();
  if (kind < 0.15) return trouble.rollOutBad(trouble.anySet());
  const image = trouble.newImage();
  if (kind < 0.35) {
    trouble.note(`image ${image} cannot be pulled`);
    trouble.setMissing(image, true);
    trouble.later(10_000, 300_000, () => trouble.setMissing(image, false));
  }
  return trouble.users.rollOut(trouble.anySet(), image);
};

const rollBack: Step = (trouble) => trouble.users.rollOut(trouble.anySet(), trouble.oldImage());

const deletePod: Step = (trouble) => {
  const names = [...trouble.world.truth.pods.keys()];
  if (names.length === 0) return;
  const name = pick(trouble.random, names);
  return trouble.random.next() < 0.7 ? trouble.users.deletePod(name) : trouble.users.evictPod(name);
};

const deleteClaim: Step = (trouble) => {
  const names = [...trouble.world.truth.claims.keys()];
  if (names.length > 0) return trouble.users.deleteClaim(pick(trouble.random, names));
};

const cordon: Step = (trouble) => trouble.cordon(trouble.anyMachine().name);

const changeRollout: Step = (trouble) => {
  const name = trouble.anySet();
  const set = trouble.world.truth.sets.get(name);
  if (set?.spec.updateStrategy?.type !== 'RollingUpdate') return;
  const rollingUpdate = {
    partition: between(trouble.random, 0, 3),
    maxUnavailable: between(trouble.random, 1, 2),
  };
  return trouble.users.change(name, { updateStrategy: { rollingUpdate } });
};

const remakeSet: Step = async (trouble) => {
  const set = trouble.world.truth.sets.get(trouble.anySet());
  if (!set) return;
  const { name, namespace, uid } = set.metadata;
  const policy = pick(trouble.random, ['Orphan', 'Background', 'Foreground'] as const);
  if (!(await trouble.users.deleteSet(name, policy))) return;
  const { status: _status, ...rest } = set;
  const fresh: StatefulSet = { ...rest, metadata: present({ name, namespace }) };
  const again = async (): Promise<void> => {
    const there = trouble.world.truth.sets.get(name);
    if (there && there.metadata.uid !== uid) return;
    if (!(await trouble.users.create(fresh))) return trouble.later(1_000, 5_000, again);
    if (trouble.isOver) await trouble.makeSetGood(name);
  };
  trouble.later(100, 20_000, again);
};

/** Some more than once: they are to happen more often. */
const STEPS: readonly Step[] = [
  setWeather,
  setWeather,
  setWeather,
  restartApiServer,
  killControlPlane,
  killControlPlane,
  cutControlPlane,
  killAgent,
  killAgent,
  cutMachine,
  rebootMachine,
  loseMachine,
  crashContainer,
  crashContainer,
  flap,
  flap,
  scale,
  scale,
  scale,
  rollOut,
  rollOut,
  rollOut,
  rollBack,
  deletePod,
  deletePod,
  deleteClaim,
  cordon,
  changeRollout,
  remakeSet,
];
