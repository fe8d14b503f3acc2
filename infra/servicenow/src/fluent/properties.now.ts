import { Property } from '@servicenow/sdk/core'
import { admin } from './roles.now'

Property({
    $id: Now.ID['property-webhook-url'],
    name: 'x_casebridge_aws.webhook_url',
    type: 'string',
    value: '',
    description: 'The https address of the casebridge webhook in AWS. While it is empty, webhooks wait in the outbox.',
    roles: { read: [admin, 'admin'], write: [admin, 'admin'] },
    isPrivate: true,
})

Property({
    $id: Now.ID['property-webhook-secret'],
    name: 'x_casebridge_aws.webhook_secret',
    type: 'password2',
    value: '',
    description:
        'The secret that signs webhooks: whsec_ and the base64 text of the key, as in the secret casebridge/webhook of AWS Secrets Manager.',
    roles: { read: ['admin'], write: ['admin'] },
    isPrivate: true,
})

Property({
    $id: Now.ID['property-integration-user'],
    name: 'x_casebridge_aws.integration_user',
    type: 'string',
    value: '',
    description:
        'The sys_id of the integration user, which it keeps when it is renamed. Only this user may deliver; while the property names no user, the app is silent.',
    roles: { read: [admin, 'admin'], write: [admin, 'admin'] },
    isPrivate: true,
})

Property({
    $id: Now.ID['property-home-instance'],
    name: 'x_casebridge_aws.home_instance',
    type: 'string',
    value: '',
    description:
        'The instance_name of the instance that casebridge belongs on, set by "Adopt this instance" on the list of accounts. Elsewhere, on a clone for example, the app sends nothing and answers nothing.',
    roles: { read: [admin, 'admin'], write: [admin, 'admin'] },
    isPrivate: true,
})

Property({
    $id: Now.ID['property-claim-seconds'],
    name: 'x_casebridge_aws.claim_seconds',
    type: 'integer',
    value: 60,
    description:
        'For how many seconds a message that is being written is left alone. Keep it above the transaction quota of REST calls.',
    roles: { read: [admin, 'admin'], write: [admin, 'admin'] },
})

Property({
    $id: Now.ID['property-outbox-retention-days'],
    name: 'x_casebridge_aws.outbox_retention_days',
    type: 'integer',
    value: 7,
    description: 'After how many days sent webhooks are deleted from the outbox.',
    roles: { read: [admin, 'admin'], write: [admin, 'admin'] },
})
