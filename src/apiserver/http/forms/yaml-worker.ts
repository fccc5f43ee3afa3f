// The thread that reads and writes YAML for yaml-thread.ts: one document at a time.
import { parentPort } from 'node:worker_threads';
import { internal, StatusError } from '../../../api/errors.ts';
import { readYaml, writeYaml } from './yaml-document.ts';
import type { YamlAnswer, YamlQuestion } from './yaml-thread.ts';

// The parser makes an error of everything that it does not like, and writing down where it stood takes the longest.
Error.stackTraceLimit = 0;

parentPort?.on('message', (question: YamlQuestion) => parentPort?.postMessage(answer(question)));

function answer(question: YamlQuestion): YamlAnswer {
  try {
    if ('write' in question) return { text: writeYaml(question.write) };
    return { document: readYaml(question.read, question.wantsRepeated) };
  } catch (error) {
    return { refusal: (error instanceof StatusError ? error : internal(String(error))).status };
  }
}
