// A chart as people write them, as files: a StatefulSet with its headless Service, configuration and secret, hooks
// before and after, and a test. Hooks are Pods, which on simulated nodes end at once by an annotation.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CHART = `apiVersion: v2
name: db
description: A database that keeps its data
type: application
version: 1.0.0
appVersion: "16"
kubeVersion: ">=1.27.0-0"
`;

const VALUES = `replicas: 2
ready: true
greeting: hello
password: s3cret
migration:
  exitCode: 0
`;

const LABELS = `{{- define "db.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
`;

const CONFIG = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "db.labels" . | nindent 4 }}
data:
  greeting: {{ .Values.greeting | quote }}
  revision: {{ .Release.Revision | quote }}
  policy: {{ .Capabilities.APIVersions.Has "policy/v1/PodDisruptionBudget" | quote }}
  namespace: {{ (lookup "v1" "Namespace" "" .Release.Namespace).metadata.name | quote }}
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "db.labels" . | nindent 4 }}
type: Opaque
stringData:
  password: {{ .Values.password | quote }}
`;

const SET = `apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .Release.Name }}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .Release.Name }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .Release.Name }}}
subjects: [{kind: ServiceAccount, name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}]
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "db.labels" . | nindent 4 }}
spec:
  clusterIP: None
  selector: {app.kubernetes.io/instance: {{ .Release.Name }}, role: server}
  ports: [{name: sql, port: 5432}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .Release.Name }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {app.kubernetes.io/instance: {{ .Release.Name }}, role: server}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "db.labels" . | nindent 4 }}
spec:
  serviceName: {{ .Release.Name }}
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app.kubernetes.io/instance: {{ .Release.Name }}, role: server}
  template:
    metadata:
      labels:
        role: server
        {{- include "db.labels" . | nindent 8 }}
      annotations:
        checksum/config: {{ .Values.greeting | sha256sum }}
        simulated.stead.dev/ready: {{ .Values.ready | quote }}
    spec:
      serviceAccountName: {{ .Release.Name }}
      containers:
        - name: db
          image: postgres:{{ .Chart.AppVersion }}
          ports: [{name: sql, containerPort: 5432}]
          envFrom:
            - configMapRef: {name: {{ .Release.Name }}}
          env:
            - name: PASSWORD
              valueFrom: {secretKeyRef: {name: {{ .Release.Name }}, key: password}}
          volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 1Gi}}
`;

function hook(name: string, events: string, annotations: string, exitCode: string): string {
  return `apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-${name}
  annotations:
    helm.sh/hook: ${events}
${annotations}
    simulated.stead.dev/exit-code: ${exitCode}
spec:
  restartPolicy: Never
  containers: [{name: ${name}, image: tools:1}]
`;
}

const KEPT = '    helm.sh/hook-delete-policy: before-hook-creation';
const REMOVED = '    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded';

const HOOKS = [
  hook('migrate', 'pre-install,pre-upgrade', KEPT, '{{ .Values.migration.exitCode | quote }}'),
  hook('prepare', 'pre-install,pre-upgrade', `${KEPT}\n    helm.sh/hook-weight: "-5"`, '"0"'),
  hook('announce', 'post-install,post-upgrade,post-rollback', KEPT, '"0"'),
  hook('farewell', 'pre-delete', REMOVED, '"0"'),
  hook('check', 'test', KEPT, '"0"'),
].join('---\n');

/** Writes the chart below a directory; gives the chart's directory. */
export function writeChart(directory: string): string {
  const chart = join(directory, 'db');
  mkdirSync(join(chart, 'templates'), { recursive: true });
  const files = {
    'Chart.yaml': CHART,
    'values.yaml': VALUES,
    'templates/_labels.tpl': LABELS,
    'templates/config.yaml': CONFIG,
    'templates/set.yaml': SET,
    'templates/hooks.yaml': HOOKS,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(chart, name), text);
  return chart;
}
