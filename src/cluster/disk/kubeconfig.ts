// The administrator's kubeconfig: what kubectl, Helm and the client libraries are pointed at.
import { open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Certificates } from './certificates.ts';

/** Writes it for its owner alone to read: it holds a key to everything. */
export async function writeKubeconfig(
  file: string,
  server: string,
  certificates: Pick<Certificates, 'ca' | 'admin'>,
): Promise<void> {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  const text = `apiVersion: v1
kind: Config
clusters:
- name: stead
  cluster:
    server: ${server}
    certificate-authority-data: ${base64(certificates.ca)}
users:
- name: stead-admin
  user:
    client-certificate-data: ${base64(certificates.admin.cert)}
    client-key-data: ${base64(certificates.admin.key)}
contexts:
- name: stead
  context:
    cluster: stead
    user: stead-admin
    namespace: default
current-context: stead
`;
  // Nothing is written that is there already: the disk may be full.
  if ((await readFile(file, 'utf8').catch(() => '')) === text) return;
  // Whoever waits for it finds nothing or all of it.
  const whole = `${file}.new`;
  try {
    await writeFile(whole, text, { mode: 0o600 });
    await rename(whole, file);
  } catch (error) {
    await rm(whole, { force: true });
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
    await overwrite(file, text);
  }
}

/** On a full disk: the file has its blocks, and the new text is as long as the old one but for the port. */
async function overwrite(file: string, text: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const { bytesWritten } = await handle.write(text, 0);
    await handle.truncate(bytesWritten);
  } finally {
    await handle.close();
  }
}
