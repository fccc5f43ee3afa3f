// The pods that the API's benchmarks write: 3 KB of JSON as a StatefulSet's pod has it, for a scheduler that does not
// exist, so that nothing but the API works on them.

/** The size that a pod has when it is served, in bytes; what it lacks is in an annotation. */
const SERVED_BYTES = 3000;

/** What the server adds to what is written. */
const ADDED_BYTES = 2640;

/** A pod as JSON. */
export function podJson(name: string, generation = 0): string {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: {
        app: 'bench',
        generation: `${generation}`,
        'apps.kubernetes.io/pod-index': name.replace(/\D+/g, ''),
      },
      annotations: { 'bench/filling': '' },
    },
    spec: {
      schedulerName: 'nobody',
      terminationGracePeriodSeconds: 10,
      containers: [
        {
          name: 'nginx',
          image: 'registry.k8s.io/nginx-slim:0.21',
          ports: [{ containerPort: 80, name: 'web' }],
          env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          readinessProbe: { httpGet: { path: '/', port: 'web' } },
          volumeMounts: [{ name: 'www', mountPath: '/usr/share/nginx/html' }],
        },
      ],
      volumes: [{ name: 'www', persistentVolumeClaim: { claimName: `www-${name}` } }],
    },
  };
  const missing = SERVED_BYTES - ADDED_BYTES - JSON.stringify(pod).length;
  pod.metadata.annotations['bench/filling'] = 'x'.repeat(Math.max(0, missing));
  return JSON.stringify(pod);
}
