// A kubectl other than the machine's, with a home of its own: what it remembers and writes goes when it is closed.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ran, run } from '../kit/run.ts';
import type { TestStead } from '../kit/stead.ts';

export class KubectlProgram {
  /** Where files lie that it is given. */
  readonly home = mkdtempSync(join(tmpdir(), 'stead-kubectl-'));
  readonly command: string;
  readonly #stead: TestStead;

  constructor(command: string, stead: TestStead) {
    this.command = command;
    this.#stead = stead;
  }

  get env(): Record<string, string> {
    return { KUBECONFIG: this.#stead.kubeconfig, HOME: this.home, TMPDIR: this.home };
  }

  /** Runs it, whatever becomes of it. */
  try(args: readonly string[], options: { env?: object; input?: string } = {}): Promise<Ran> {
    return run(this.command, args, { ...options, env: { ...this.env, ...options.env } });
  }

  /** Runs it with success; gives what it wrote. */
  async run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(args);
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Runs it on a manifest's text with success; gives what it wrote. */
  async feed(input: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try([...args, '-f', '-'], { input });
    assert.equal(code, 0, `kubectl ${args.join(' ')}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Runs it without success; gives what it complained of. */
  async refused(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(args);
    assert.notEqual(code, 0, `kubectl ${args.join(' ')}: ${stdout}`);
    return stderr;
  }

  /** Writes a file; gives its path. */
  file(name: string, text: string): string {
    const path = join(this.home, name);
    writeFileSync(path, text);
    return path;
  }

  close(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
