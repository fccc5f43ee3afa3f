// The program of the node process: this machine as a node.
import { preferThisProcess } from '../process/priority.ts';
import { startMachine } from '../roles/machine.ts';
import { runNodeProcess } from './node-process.ts';

preferThisProcess();
runNodeProcess(startMachine);
