// Starts programs of the machine that run on while they are spoken to. What they are for is the callers' business.
import { spawn } from 'node:child_process';
import type { StartProgram } from '../../base/lasting-program.ts';
import { programEnvironment } from './command.ts';

export const startProgram: StartProgram = (program, args, { onStdout, onStderr, environment }) => {
  const child = spawn(program, args, {
    env: { ...programEnvironment(), ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', onStdout);
  child.stderr.setEncoding('utf8').on('data', onStderr);
  // Its end says all that there is to say.
  child.stdin.on('error', () => {});
  const ended = new Promise<number | undefined>((resolve) => {
    child.on('error', (error) => {
      onStderr(error.message);
      resolve(undefined);
    });
    child.on('close', (code) => resolve(code ?? undefined));
  });
  return {
    write: (text) => void child.stdin.write(text),
    end: () => void child.stdin.end(),
    kill: () => void child.kill('SIGKILL'),
    ended,
  };
};
