import { Property } from '@servicenow/sdk/core'
import { admin } from './roles.now'

// Each is installed once: an upgrade of the app leaves the values that an administrator has set.

Property({
    $id: Now.ID['property-claim-seconds'],
    $meta: { installMethod: 'first install' },
    name: 'x_casebridge_aws.claim_seconds',
    type: 'integer',
    value: 60,
    description:
        'For how many seconds a message that is being written is left alone. Keep it above the transaction quota of REST calls.',
    roles: { read: [admin, 'admin'], write: [admin, 'admin'] },
})

Property({
    $id: Now.ID['property-outbox-retention-days'],
    $meta: { installMethod: 'first install' },
    name: 'x_casebridge_aws.outbox_retention_days',
    type: 'integer',
    value: 7,
    description: 'After how many days sent webhooks are deleted from the outbox.',
    roles: { read: [admin, 'admin'], write: [admin, 'admin'] },
})
