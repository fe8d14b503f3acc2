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

// Which texts leave the instance: the platform's administrator alone decides that.

Property({
    $id: Now.ID['property-work-note-prefix'],
    $meta: { installMethod: 'first install' },
    name: 'x_casebridge_aws.work_note_prefix',
    type: 'string',
    value: '',
    description:
        'A work note that begins with this text goes to AWS, without the prefix and in any case of letters. Empty: no work note goes to AWS. Take a text that no word begins with, for example [aws].',
    roles: { read: [admin, 'admin'], write: ['admin'] },
})

Property({
    $id: Now.ID['property-comment-prefix'],
    $meta: { installMethod: 'first install' },
    name: 'x_casebridge_aws.comment_prefix',
    type: 'string',
    value: '',
    description:
        'Only comments that begin with this text go to AWS, without the prefix and in any case of letters. Empty: every comment goes to AWS.',
    roles: { read: [admin, 'admin'], write: ['admin'] },
})

Property({
    $id: Now.ID['property-silent-authors'],
    $meta: { installMethod: 'first install' },
    name: 'x_casebridge_aws.silent_authors',
    type: 'string',
    value: '',
    description: 'User names, separated by commas. Nothing that these users write goes to AWS.',
    roles: { read: [admin, 'admin'], write: ['admin'] },
})
