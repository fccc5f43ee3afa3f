// Containers as a pod declares them: ports, environment, probes, resources.
import { embedded, enumType, mergedBy, pointer, quantity } from '../../../schema/facts.ts';
import { generatedTypes } from '../../../schema/generated-types.ts';
import { protocol, pullPolicy, signal } from './enums.ts';
import { defaultPullPolicy } from './pull-policy.ts';

const terminationMessagePolicy = enumType('TerminationMessagePolicy', 'File', 'FallbackToLogsOnError');
const CONTAINER_NUMBERS =
  'name image command args workingDir ports env resources volumeMounts livenessProbe readinessProbe lifecycle terminationMessagePath imagePullPolicy securityContext stdin stdinOnce tty envFrom terminationMessagePolicy volumeDevices startupProbe resizePolicy restartPolicy restartPolicyRules';

export const containerTypes = generatedTypes('io.k8s.api.core.v1', {
  ConfigMapEnvSource: { numbers: '>(name) optional', fields: { optional: pointer } },
  ConfigMapKeySelector: { numbers: '>(name) key optional', atomic: true, fields: { optional: pointer } },
  Container: {
    numbers: CONTAINER_NUMBERS,
    fields: {
      env: mergedBy('name'),
      imagePullPolicy: { enum: pullPolicy },
      ports: mergedBy('containerPort', 'protocol'),
      resources: embedded,
      restartPolicy: pointer,
      terminationMessagePath: { default: '/dev/termination-log' },
      terminationMessagePolicy: { default: 'File', enum: terminationMessagePolicy },
      volumeDevices: mergedBy('devicePath'),
      volumeMounts: mergedBy('mountPath'),
    },
    setDefaults: defaultPullPolicy,
  },
  ContainerPort: {
    numbers: 'name hostPort containerPort protocol hostIP',
    fields: { protocol: { default: 'TCP', enum: protocol } },
  },
  ContainerResizePolicy: { numbers: 'resourceName restartPolicy' },
  ContainerRestartRule: { numbers: 'action exitCodes' },
  ContainerRestartRuleOnExitCodes: { numbers: 'operator values', fields: { values: { set: true } } },
  EnvFromSource: { numbers: 'prefix configMapRef secretRef' },
  EnvVar: { numbers: 'name value valueFrom' },
  EnvVarSource: { numbers: 'fieldRef resourceFieldRef configMapKeyRef secretKeyRef fileKeyRef' },
  EphemeralContainer: {
    numbers: `>(${CONTAINER_NUMBERS}) targetContainerName`,
    fields: {
      env: mergedBy('name'),
      imagePullPolicy: { enum: pullPolicy },
      ports: mergedBy('containerPort', 'protocol'),
      resources: embedded,
      restartPolicy: pointer,
      terminationMessagePath: { default: '/dev/termination-log' },
      terminationMessagePolicy: { default: 'File', enum: terminationMessagePolicy },
      volumeDevices: mergedBy('devicePath'),
      volumeMounts: mergedBy('mountPath'),
    },
    setDefaults: defaultPullPolicy,
  },
  ExecAction: { numbers: 'command' },
  FileKeySelector: {
    numbers: 'volumeName path key optional',
    atomic: true,
    fields: { optional: { presence: 'pointer', default: false } },
  },
  GRPCAction: { numbers: 'port service', fields: { service: { presence: 'pointer', default: '' } } },
  HTTPGetAction: {
    numbers: 'path port host scheme httpHeaders',
    fields: {
      path: { default: '/' },
      scheme: { default: 'HTTP', enum: enumType('URIScheme', 'HTTP', 'HTTPS') },
    },
  },
  HTTPHeader: { numbers: 'name value' },
  Lifecycle: {
    numbers: 'postStart preStop stopSignal',
    fields: { stopSignal: { presence: 'pointer', enum: signal } },
  },
  LifecycleHandler: { numbers: 'exec httpGet tcpSocket sleep' },
  ObjectFieldSelector: {
    numbers: 'apiVersion fieldPath',
    atomic: true,
    fields: { apiVersion: { default: 'v1' } },
  },
  Probe: {
    numbers:
      '>(exec httpGet tcpSocket grpc) initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold terminationGracePeriodSeconds',
    fields: {
      failureThreshold: { default: 3 },
      periodSeconds: { default: 10 },
      successThreshold: { default: 1 },
      terminationGracePeriodSeconds: pointer,
      timeoutSeconds: { default: 1 },
    },
  },
  ResourceClaim: { numbers: 'name request' },
  ResourceFieldSelector: {
    numbers: 'containerName resource divisor',
    atomic: true,
    fields: { divisor: quantity },
  },
  ResourceRequirements: {
    numbers: 'limits requests claims',
    fields: { claims: { listKeys: ['name'] }, limits: quantity, requests: quantity },
  },
  SecretEnvSource: { numbers: '>(name) optional', fields: { optional: pointer } },
  SecretKeySelector: { numbers: '>(name) key optional', atomic: true, fields: { optional: pointer } },
  SleepAction: { numbers: 'seconds' },
  TCPSocketAction: { numbers: 'port host' },
  VolumeDevice: { numbers: 'name devicePath' },
  VolumeMount: {
    numbers: 'name readOnly mountPath subPath mountPropagation subPathExpr recursiveReadOnly',
    fields: {
      mountPropagation: {
        presence: 'pointer',
        enum: enumType('MountPropagationMode', 'None', 'HostToContainer', 'Bidirectional'),
      },
      recursiveReadOnly: pointer,
    },
  },
});
