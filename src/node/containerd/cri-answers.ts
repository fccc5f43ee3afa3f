// Asks a containerd socket one question: does the container runtime interface answer yet? The runtime itself is
// spoken to in cri/.
import { Client, credentials } from '@grpc/grpc-js';

const STATUS = '/runtime.v1.RuntimeService/Status';
const bytes = (value: Buffer): Buffer => value;

/** Resolves to whether the CRI plugin behind the socket is up; never rejects. */
export function criAnswers(socket: string, deadlineMs: number): Promise<boolean> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  return new Promise((resolve) => {
    // An empty StatusRequest is no bytes at all; what the answer says is not looked at.
    client.makeUnaryRequest(STATUS, bytes, bytes, Buffer.alloc(0), { deadline: deadlineMs }, (error) => {
      client.close();
      resolve(!error);
    });
  });
}
