// All that a decision about one set may depend on. The controller gathers it from the informers; the scenarios read
// it from YAML. What is decided from it stands in plan.ts.
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
} from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';

/** What was seen of one set and of what belongs to it, at one moment. Everything in it is frozen. */
export interface Observation {
  set: Stored<StatefulSet>;
  /** The pods that the set controls, in any order. */
  pods: readonly Stored<Pod>[];
  /** Pods that bear the name of one of the set's pods but are not its own: they are left alone, and in the way. */
  strangers: readonly Stored<Pod>[];
  /** The claims that bear the names of the claims of the set's pods, whoever owns them. */
  claims: readonly Stored<PersistentVolumeClaim>[];
  /** Names of the storage classes whose volumes can grow. */
  expandableClasses: ReadonlySet<string>;
  /** The revisions that the set controls, in any order. */
  revisions: readonly Stored<ControllerRevision>[];
  /** ms since the epoch. */
  now: number;
}

/** Claims by name. */
export type Claims = ReadonlyMap<string, Stored<PersistentVolumeClaim>>;
