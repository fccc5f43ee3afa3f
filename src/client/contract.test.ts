// The two transports of this room, held to the contract: in the server's process, and over its real port on loopback.
import { authorizeMasters } from '../apiserver/authz/authorize.ts';
import { serveHttps } from '../apiserver/http/port/serve-https.ts';
import { makeTestCertificates } from '../apiserver/test-certificates.ts';
import { startTestServer } from '../apiserver/test-server.ts';
import { silentLog } from '../base/log.ts';
import { directClient } from './direct.ts';
import { httpsClient } from './https.ts';
import { clientContract } from './test-contract.ts';

clientContract('direct', async () => {
  const { api, store } = await startTestServer();
  return {
    client: directClient(api, { name: 'test', groups: ['system:masters'] }),
    api,
    compact: async () => store.compact(await store.revision()),
    async close() {
      api.stop();
      await store.close();
    },
  };
});

const certificates = makeTestCertificates();

clientContract('https', async () => {
  const { api, store, clock } = await startTestServer();
  const { ca, server, client } = await certificates;
  const admin = await client('admin', 'system:masters');
  const port = await serveHttps({
    api,
    tls: { ...server, ca },
    host: '127.0.0.1',
    port: 0,
    authenticateToken: () => undefined,
    authorize: authorizeMasters,
    connect: undefined,
    log: silentLog,
    clock,
    health: [],
  });
  return {
    client: httpsClient({ server: `https://127.0.0.1:${port.port}`, ca, ...admin }),
    api,
    compact: async () => store.compact(await store.revision()),
    async close() {
      await port.close();
      api.stop();
      await store.close();
    },
  };
});
