// Watches the machine's processes for two pods of one name. A pod is told from another by its pid namespace; a double
// is counted only when both are seen to live at the same moment.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LOOK_MS = 50;

interface PodProcess {
  pod: string;
  pid: string;
  namespace: string;
  started: string;
}

export class DoublesWatch {
  readonly #timer: NodeJS.Timeout;
  readonly #mark: string;
  readonly #doubles = new Set<string>();
  looks = 0;

  /** @param mark stands in the command line of every process of the pods to watch, before the pod's name. */
  constructor(mark: string) {
    this.#mark = mark;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A sentence for each pair of pods of one name that was seen alive together. */
  get doubles(): string[] {
    return [...this.#doubles];
  }

  #look(): void {
    this.looks++;
    const first = new Map<string, PodProcess>();
    for (const process of podProcesses(this.#mark)) {
      const { pod, namespace } = process;
      const other = first.get(pod);
      if (other === undefined) first.set(pod, process);
      // The one may have ended before the other began; both alive now, they are two.
      else if (other.namespace !== namespace && stillLives(other) && stillLives(process)) {
        this.#doubles.add(`${pod}: ${other.namespace} and ${namespace}`);
      }
    }
  }
}

function podProcesses(mark: string): PodProcess[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const at = words.indexOf(mark);
      const pod = words[at + 1];
      if (at < 0 || pod === undefined) return [];
      const namespace = readlinkSync(`/proc/${pid}/ns/pid`);
      return [{ pod, pid, namespace, started: startOf(pid) }];
    } catch {
      return [];
    }
  });
}

/** When a process began, in clock ticks since boot: with the pid, its identity. A zombie lives no more. */
function startOf(pid: string): string {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  if (fields[0] === 'Z') throw new Error(`process ${pid} has ended`);
  return fields[19] ?? '';
}

function stillLives({ pid, started }: PodProcess): boolean {
  try {
    return startOf(pid) === started;
  } catch {
    return false;
  }
}
