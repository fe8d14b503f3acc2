import { Role } from '@servicenow/sdk/core'

export const user = Role({
    name: 'x_casebridge_aws.user',
    description: 'Reads the AWS accounts and the outbox, and fills in the AWS codes of incidents.',
})

export const admin = Role({
    name: 'x_casebridge_aws.admin',
    description: 'Maintains the AWS accounts and the outbox, and reads the settings.',
    containsRoles: [user],
})

export const integration = Role({
    name: 'x_casebridge_aws.integration',
    description: 'Calls the REST API. For the integration user alone.',
})
