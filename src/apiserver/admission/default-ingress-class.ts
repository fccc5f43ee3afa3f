// An Ingress that says nothing of a class gets the default one, the newest if several are marked. Follows
// plugin/pkg/admission/network/defaultingressclass/admission.go.
import { defaultIngressClassOf } from '../../api/default-class.ts';
import type { Ingress, IngressClass } from '../../api/generated/types.ts';
import type { Stored } from '../../api/objects.ts';
import { CLASS_ANNOTATION } from '../../api/resources/ingresses/validation.ts';
import { type AdmissionPlugin, objectOf } from './admission.ts';

export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  async admit(request, context) {
    const { operation, object } = request;
    if (operation !== 'CREATE') return object;
    const ingress = objectOf<Ingress>(request, 'networking.k8s.io', 'Ingress');
    if (!ingress || ingress.spec?.ingressClassName !== undefined) return object;
    if (ingress.metadata.annotations?.[CLASS_ANNOTATION] !== undefined) return object;
    const classes = (await context.list('networking.k8s.io', 'ingressclasses')) as Stored<IngressClass>[];
    const newest = defaultIngressClassOf(classes);
    if (!newest) return object;
    return { ...ingress, spec: { ...ingress.spec, ingressClassName: newest.metadata.name } };
  },
};
