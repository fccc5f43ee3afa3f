// The pause program: what the first container of every pod runs, to hold the pod's namespaces open. It is a static
// Linux executable of a few hundred bytes that is written here instruction by instruction, so that no pod needs an
// image from a registry, nor stead a compiler. In C it would be:
//
//   sigaction(SIGCHLD, SIG_IGN);         // as process 1 of a shared PID namespace: the kernel reaps its orphans
//   sigaction(SIGINT, exit(0)); sigaction(SIGTERM, exit(0));
//   for (;;) wait for a signal;
//
// The file: ELF header, one program header (everything is one readable and executable segment), three kernel
// `struct sigaction`, code.

export type PauseArchitecture = 'x64' | 'arm64';

const LOAD_ADDRESS = 0x400000;
const ELF_HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
/** handler, flags, restorer, mask: 8 bytes each, on both architectures. */
const SIGACTION_SIZE = 32;
const IGNORE_ACTION = LOAD_ADDRESS + ELF_HEADER_SIZE + PROGRAM_HEADER_SIZE;
const EXIT_ACTION = IGNORE_ACTION + SIGACTION_SIZE;
/** The exit code comes first, so that its address does not depend on the rest; then the entry point. */
const EXIT_CODE = EXIT_ACTION + SIGACTION_SIZE;

const SIG_IGN = 1;
/** The kernel of x86-64 wants a restorer even for a handler that never returns. */
const SA_RESTORER = 0x04000000;
const SIGINT = 2;
const SIGTERM = 15;
const SIGCHLD = 17;
const MASK_SIZE = 8;

const ELF_MACHINE: Record<PauseArchitecture, number> = { x64: 62, arm64: 183 };

/** The whole executable file. */
export function pauseProgram(architecture: PauseArchitecture): Buffer {
  const { exit, main } = architecture === 'x64' ? codeX64() : codeArm64();
  const size = EXIT_CODE - LOAD_ADDRESS + exit.length + main.length;
  return Buffer.concat([
    elfHeader(ELF_MACHINE[architecture], EXIT_CODE + exit.length),
    programHeader(size),
    sigaction(SIG_IGN, 0),
    sigaction(EXIT_CODE, SA_RESTORER),
    exit,
    main,
  ]);
}

function elfHeader(machine: number, entry: number): Buffer {
  const header = Buffer.alloc(ELF_HEADER_SIZE);
  header.write('\x7fELF', 'latin1');
  header.set([2, 1, 1], 4); // 64 bits, little-endian, ELF version 1
  header.writeUInt16LE(2, 16); // type: executable at a fixed address
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20); // ELF version 1
  header.writeBigUInt64LE(BigInt(entry), 24);
  header.writeBigUInt64LE(BigInt(ELF_HEADER_SIZE), 32); // where the program headers start
  header.writeUInt16LE(ELF_HEADER_SIZE, 52);
  header.writeUInt16LE(PROGRAM_HEADER_SIZE, 54);
  header.writeUInt16LE(1, 56); // how many program headers
  header.writeUInt16LE(64, 58); // size of a section header; there are none
  return header;
}

function programHeader(size: number): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER_SIZE);
  header.writeUInt32LE(1, 0); // to be loaded
  header.writeUInt32LE(5, 4); // readable, executable
  header.writeBigUInt64LE(0n, 8); // from the file's start
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 16);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 24);
  header.writeBigUInt64LE(BigInt(size), 32); // bytes in the file
  header.writeBigUInt64LE(BigInt(size), 40); // bytes in memory
  header.writeBigUInt64LE(0x10000n, 48); // alignment: the largest page size of arm64
  return header;
}

function sigaction(handler: number, flags: number): Buffer {
  const action = Buffer.alloc(SIGACTION_SIZE);
  action.writeBigUInt64LE(BigInt(handler), 0);
  action.writeBigUInt64LE(BigInt(flags), 8);
  action.writeBigUInt64LE(BigInt(flags === 0 ? 0 : handler), 16);
  return action;
}

/** System calls of x86-64: number in rax; arguments in rdi, rsi, rdx, r10. */
function codeX64(): { exit: Buffer; main: Buffer } {
  const SYS = { rt_sigaction: 13, pause: 34, exit: 60 };
  const le32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 0xff);
  const movEax = (value: number): number[] => [0xb8, ...le32(value)];
  const movEdi = (value: number): number[] => [0xbf, ...le32(value)];
  const movEsi = (value: number): number[] => [0xbe, ...le32(value)];
  const movR10d = (value: number): number[] => [0x41, 0xba, ...le32(value)];
  const XOR_EDX_EDX = [0x31, 0xd2];
  const SYSCALL = [0x0f, 0x05];
  const setAction = (signal: number, action: number): number[] => [
    ...movEax(SYS.rt_sigaction),
    ...movEdi(signal),
    ...movEsi(action),
    ...XOR_EDX_EDX, // no old action wanted
    ...movR10d(MASK_SIZE),
    ...SYSCALL,
  ];
  const wait = [...movEax(SYS.pause), ...SYSCALL];
  const JUMP_SHORT = 0xeb; // and a signed byte, counted from the end of the jump
  return {
    exit: Buffer.from([...movEax(SYS.exit), ...movEdi(0), ...SYSCALL]),
    main: Buffer.from([
      ...setAction(SIGCHLD, IGNORE_ACTION),
      ...setAction(SIGINT, EXIT_ACTION),
      ...setAction(SIGTERM, EXIT_ACTION),
      ...wait,
      JUMP_SHORT,
      0x100 - (wait.length + 2),
    ]),
  };
}

/** System calls of arm64: number in x8; arguments in x0 to x4. Every instruction has four bytes. */
function codeArm64(): { exit: Buffer; main: Buffer } {
  const SYS = { ppoll: 73, exit: 93, rt_sigaction: 134 };
  /** `movz xN, #value`, or with the value shifted left by 16 bits. */
  const movz = (register: number, value: number): number => 0xd2800000 + value * 32 + register;
  const movzHigh = (register: number, value: number): number => 0xd2a00000 + value * 32 + register;
  /** `movk xN, #value`: keeps the other bits. */
  const movk = (register: number, value: number): number => 0xf2800000 + value * 32 + register;
  const SVC = 0xd4000001;
  /** `b`, that many instructions back. */
  const branchBack = (instructions: number): number => 0x14000000 + (0x4000000 - instructions);
  const setAction = (signal: number, action: number): number[] => [
    movz(0, signal),
    movzHigh(1, action >> 16),
    movk(1, action & 0xffff),
    movz(2, 0), // no old action wanted
    movz(3, MASK_SIZE),
    movz(8, SYS.rt_sigaction),
    SVC,
  ];
  // arm64 has no pause: poll nothing, without a time limit and with the signal mask as it is.
  const wait = [movz(0, 0), movz(1, 0), movz(2, 0), movz(3, 0), movz(4, 0), movz(8, SYS.ppoll), SVC];
  return {
    exit: words([movz(0, 0), movz(8, SYS.exit), SVC]),
    main: words([
      ...setAction(SIGCHLD, IGNORE_ACTION),
      ...setAction(SIGINT, EXIT_ACTION),
      ...setAction(SIGTERM, EXIT_ACTION),
      ...wait,
      branchBack(wait.length),
    ]),
  };
}

function words(values: readonly number[]): Buffer {
  const code = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) code.writeUInt32LE(value, index * 4);
  return code;
}
