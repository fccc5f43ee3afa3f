// Who somebody is: the reviews of authentication.k8s.io.
import { embedded } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const authenticationTypes = generatedTypes('io.k8s.api.authentication.v1', {
  SelfSubjectReview: { numbers: 'metadata status' },
  SelfSubjectReviewStatus: { numbers: 'userInfo', fields: { userInfo: embedded } },
  TokenReview: { numbers: 'metadata spec status' },
  TokenReviewSpec: { numbers: 'token audiences' },
  TokenReviewStatus: { numbers: 'authenticated user error audiences', fields: { user: embedded } },
  UserInfo: { numbers: 'username uid groups extra' },
});
