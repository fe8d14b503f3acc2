import {
    BooleanColumn,
    DateTimeColumn,
    IntegerColumn,
    Password2Column,
    Record,
    ReferenceColumn,
    StringColumn,
    Table,
} from '@servicenow/sdk/core'

// What a case is opened with, in the words of the AWS Support API. The columns take any text beside these choices: over REST
// an instance drops a choice value that it does not know, without an error. casebridge tells agents what it could not use.
const languages = {
    en: { label: 'English', sequence: 0 },
    zh: { label: 'Chinese', sequence: 1 },
    fr: { label: 'French', sequence: 2 },
    ja: { label: 'Japanese', sequence: 3 },
    ko: { label: 'Korean', sequence: 4 },
    pt: { label: 'Portuguese', sequence: 5 },
    es: { label: 'Spanish', sequence: 6 },
    tr: { label: 'Turkish', sequence: 7 },
}
const issueTypes = {
    technical: { label: 'Technical', sequence: 0 },
    'customer-service': { label: 'Customer service', sequence: 1 },
}

// Plain strings, not choices: over REST an instance drops a choice value that it does not know, without an error, and
// AWS adds services and statuses when it likes.
export const incident = Table({
    augments: 'incident',
    schema: {
        x_casebridge_aws_account: StringColumn({
            label: 'AWS account',
            hint: 'Number of the AWS account that holds the case',
            maxLength: 12,
            readOnly: true,
        }),
        x_casebridge_aws_service_code: StringColumn({
            label: 'AWS service code',
            hint: 'Code of the AWS service that the case is about, for example amazon-elastic-compute-cloud-linux',
            maxLength: 100,
        }),
        x_casebridge_aws_category_code: StringColumn({
            label: 'AWS category code',
            hint: 'Code of the category within the AWS service, for example instance-issue',
            maxLength: 100,
        }),
        // What agents choose by name. The codes beside them are for other systems, and for what was typed before.
        x_casebridge_aws_service: ReferenceColumn({
            label: 'AWS service',
            hint: 'The AWS service that the case is about. Its code counts, whatever the column AWS service code says',
            referenceTable: 'x_casebridge_aws_service',
            referenceQual: 'active=true',
        }),
        x_casebridge_aws_category: ReferenceColumn({
            label: 'AWS category',
            hint: 'The category within the AWS service. Its code counts, whatever the column AWS category code says',
            referenceTable: 'x_casebridge_aws_category',
            referenceQual: "javascript:'active=true^service=' + current.x_casebridge_aws_service",
            // The form sends the chosen service along when it asks for categories.
            attributes: { ref_qual_elements: 'x_casebridge_aws_service' },
        }),
        // They count when the case is opened, and never again: AWS Support has no call that changes them.
        x_casebridge_aws_additional_contacts: StringColumn({
            label: 'AWS additional contacts',
            hint: 'E-mail addresses, at most 10, to which AWS sends copies of the case. If it is empty, those of the AWS account. A change after the case is open has no effect',
            maxLength: 1000,
        }),
        x_casebridge_aws_language: StringColumn({
            label: 'AWS case language',
            hint: 'The language in which AWS answers. If it is empty, that of the AWS account. A change after the case is open has no effect',
            maxLength: 40,
            dropdown: 'suggestion',
            choices: languages,
        }),
        x_casebridge_aws_issue_type: StringColumn({
            label: 'AWS issue type',
            hint: 'The kind of the case: technical, or customer-service for account and billing. If it is empty, that of the AWS account. A change after the case is open has no effect',
            maxLength: 40,
            dropdown: 'suggestion',
            choices: issueTypes,
        }),
        x_casebridge_aws_case_id: StringColumn({
            label: 'AWS case ID',
            hint: 'Identifier of the case in the AWS Support API',
            maxLength: 100,
            readOnly: true,
        }),
        x_casebridge_aws_display_id: StringColumn({
            label: 'AWS case number',
            hint: 'Number of the case in the AWS console',
            maxLength: 40,
            readOnly: true,
        }),
        x_casebridge_aws_case_status: StringColumn({
            label: 'AWS case status',
            hint: 'Status of the case, in the words of AWS',
            maxLength: 40,
            readOnly: true,
        }),
        x_casebridge_aws_sync_status: StringColumn({
            label: 'AWS sync status',
            hint: 'pending, in_sync, waiting or error: the worst of all links of the incident',
            maxLength: 40,
            readOnly: true,
        }),
        x_casebridge_aws_last_error: StringColumn({
            label: 'AWS last error',
            hint: 'What keeps the incident and its AWS record apart, and what to do about it',
            maxLength: 1000,
            readOnly: true,
        }),
    },
})

// Holds no credentials: they stay in AWS Secrets Manager.
export const x_casebridge_aws_account = Table({
    name: 'x_casebridge_aws_account',
    label: 'AWS account',
    display: 'name',
    accessibleFrom: 'public',
    actions: ['read'],
    allowWebServiceAccess: true,
    audit: true,
    schema: {
        name: StringColumn({ label: 'Name', mandatory: true, maxLength: 100 }),
        number: StringColumn({ label: 'Number', hint: 'The 12 digits of the account', mandatory: true, maxLength: 12 }),
        active: BooleanColumn({
            label: 'Active',
            hint: 'Whether incidents of the group get cases in this account',
            default: true,
        }),
        production: BooleanColumn({
            label: 'Production',
            hint: 'Cases in an account that is not production are marked as tests',
            default: false,
        }),
        assignment_group: ReferenceColumn({
            label: 'Assignment group',
            hint: 'Incidents assigned to this group belong to this account. It may be left empty if casebridge creates it',
            referenceTable: 'sys_user_group',
        }),
        configure_group: BooleanColumn({
            label: 'Create the group and the AWS user',
            hint: 'Whether an account that is saved without a group gets the group AWS-<name>, with a user for AWS in it',
            default: true,
        }),
        aws_user: ReferenceColumn({
            label: 'AWS user',
            hint: 'The user that stands for AWS Support in the group. It has no password and no role',
            referenceTable: 'sys_user',
            readOnly: true,
        }),
        additional_contacts: StringColumn({
            label: 'Additional contacts',
            hint: 'E-mail addresses, at most 10, to which AWS sends copies of cases whose incident names none',
            maxLength: 1000,
        }),
        copy_caller: BooleanColumn({
            label: 'Copy the caller',
            hint: 'Whether AWS gets the e-mail address of the caller of an incident, and sends copies of the case there',
            default: false,
        }),
        language: StringColumn({
            label: 'Case language',
            hint: 'The language of cases whose incident names none. If it is empty, that of the policy in AWS',
            maxLength: 40,
            dropdown: 'suggestion',
            choices: languages,
        }),
        issue_type: StringColumn({
            label: 'Issue type',
            hint: 'The issue type of cases whose incident names none. If it is empty, that of the policy in AWS',
            maxLength: 40,
            dropdown: 'suggestion',
            choices: issueTypes,
        }),
    },
    index: [
        { name: 'index_number', unique: true, element: 'number' },
        { name: 'index_assignment_group', unique: false, element: 'assignment_group' },
    ],
})

// What ties the instance to its AWS half, in one row, so that a clone gets or keeps all of it. Webhooks are signed with a
// secret that an instance would show to whoever reads a property; here it is encrypted, and the app's scripts alone can
// decrypt it.
export const x_casebridge_aws_settings = Table({
    name: 'x_casebridge_aws_settings',
    label: 'AWS settings',
    display: 'webhook_url',
    accessibleFrom: 'package_private',
    allowWebServiceAccess: true,
    audit: true,
    schema: {
        webhook_url: StringColumn({
            label: 'Webhook address',
            hint: 'The https address of the webhook in AWS. While it is empty, webhooks wait in the outbox',
            maxLength: 200,
        }),
        webhook_secret: Password2Column({
            label: 'Webhook secret',
            hint: 'What signs webhooks: whsec_ and the base64 text of the key, as in the secret casebridge/webhook in AWS',
            attributes: { no_audit: true },
        }),
        allowed_hosts: StringColumn({
            label: 'Allowed hosts',
            hint: 'Hosts that webhooks may go to besides Lambda Function URLs and API Gateway, separated by commas',
            maxLength: 1000,
        }),
        integration_user: ReferenceColumn({
            label: 'Integration user',
            hint: 'The user as whom AWS reads and writes, and nobody else. While there is none, the app is silent',
            referenceTable: 'sys_user',
        }),
        home_instance: StringColumn({
            label: 'Home instance',
            hint: 'The instance that these settings are for; set by "Adopt this instance" on the list of accounts',
            maxLength: 100,
            readOnly: true,
        }),
    },
})

Record({
    $id: Now.ID['settings'],
    $meta: { installMethod: 'first install' },
    table: 'x_casebridge_aws_settings',
    data: { allowed_hosts: '' },
})

export const x_casebridge_aws_outbox = Table({
    name: 'x_casebridge_aws_outbox',
    label: 'AWS outbox entry',
    display: 'webhook_id',
    accessibleFrom: 'public',
    actions: ['read'],
    allowWebServiceAccess: true,
    schema: {
        webhook_id: StringColumn({
            label: 'Webhook ID',
            hint: 'The webhook-id header; the same for every attempt',
            mandatory: true,
            maxLength: 40,
        }),
        incident: ReferenceColumn({ label: 'Incident', referenceTable: 'incident' }),
        state: StringColumn({
            label: 'State',
            maxLength: 40,
            default: 'pending',
            dropdown: 'dropdown_without_none',
            choices: {
                pending: { label: 'Pending', sequence: 0 },
                sent: { label: 'Sent', sequence: 1 },
                error: { label: 'Error', sequence: 2 },
            },
        }),
        attempts: IntegerColumn({ label: 'Attempts', default: 0 }),
        next_attempt_at: DateTimeColumn({ label: 'Next attempt at' }),
        last_error: StringColumn({ label: 'Last error', maxLength: 1000 }),
        sent_at: DateTimeColumn({ label: 'Sent at' }),
    },
    index: [
        { name: 'index_webhook_id', unique: true, element: 'webhook_id' },
        { name: 'index_incident', unique: false, element: 'incident' },
        { name: 'index_state_next_attempt_at', unique: false, element: ['state', 'next_attempt_at'] },
    ],
})

export const x_casebridge_aws_delivery = Table({
    name: 'x_casebridge_aws_delivery',
    label: 'AWS delivery',
    display: 'external_id',
    accessibleFrom: 'package_private',
    schema: {
        external_id: StringColumn({
            label: 'External ID',
            hint: 'Names one message or file for good; the unique index is what keeps it from being written twice',
            mandatory: true,
            maxLength: 100,
        }),
        incident: ReferenceColumn({ label: 'Incident', referenceTable: 'incident' }),
        // The platform empties the reference when the incident is deleted, and does not restore it with that.
        incident_id: StringColumn({ label: 'Incident ID', hint: 'sys_id of the incident, for good', maxLength: 32 }),
        state: StringColumn({
            label: 'State',
            maxLength: 40,
            default: 'claimed',
            dropdown: 'dropdown_without_none',
            choices: {
                claimed: { label: 'Claimed', sequence: 0 },
                done: { label: 'Done', sequence: 1 },
            },
        }),
        journal: StringColumn({
            label: 'Journal entry or file',
            hint: 'sys_id of the journal entry, or of the attachment',
            maxLength: 32,
        }),
        claimed_at: DateTimeColumn({ label: 'Claimed at' }),
    },
    index: [
        { name: 'index_external_id', unique: true, element: 'external_id' },
        { name: 'index_incident', unique: false, element: 'incident' },
        { name: 'index_incident_id', unique: false, element: 'incident_id' },
        { name: 'index_journal', unique: false, element: 'journal' },
        // Whose words a comment is depends on whether its author has ever delivered.
        { name: 'index_sys_created_by', unique: false, element: 'sys_created_by' },
    ],
})

export const x_casebridge_aws_announcement = Table({
    name: 'x_casebridge_aws_announcement',
    label: 'AWS announcement',
    display: 'incident',
    accessibleFrom: 'package_private',
    schema: {
        incident: ReferenceColumn({
            label: 'Incident',
            hint: 'AWS has heard of this incident, and may read it from then on',
            referenceTable: 'incident',
            mandatory: true,
        }),
    },
    index: [{ name: 'index_incident', unique: true, element: 'incident' }],
})

// An incident may have several links. Each says here how it does; the incident shows the worst of them.
export const x_casebridge_aws_link = Table({
    name: 'x_casebridge_aws_link',
    label: 'AWS link',
    display: 'link_key',
    accessibleFrom: 'public',
    actions: ['read'],
    allowWebServiceAccess: true,
    schema: {
        link_key: StringColumn({
            label: 'Link key',
            hint: 'The kind and the sys_id of the incident; the unique index keeps it to one row for each kind',
            mandatory: true,
            maxLength: 80,
        }),
        incident: ReferenceColumn({ label: 'Incident', referenceTable: 'incident' }),
        kind: StringColumn({
            label: 'Kind',
            hint: 'What the incident is linked with, for example support_case',
            maxLength: 40,
        }),
        sync_status: StringColumn({
            label: 'Sync status',
            hint: 'pending, in_sync, waiting or error',
            maxLength: 40,
        }),
        last_error: StringColumn({
            label: 'Last error',
            hint: 'What keeps the incident and its AWS record apart, and what to do about it',
            maxLength: 1000,
        }),
    },
    index: [
        { name: 'index_link_key', unique: true, element: 'link_key' },
        { name: 'index_incident', unique: false, element: 'incident' },
    ],
})

// What AWS Support offers. The REST resource `catalogue` alone writes these three tables, and deletes no row: an incident
// may refer to it.
export const x_casebridge_aws_service = Table({
    name: 'x_casebridge_aws_service',
    label: 'AWS service',
    display: 'name',
    accessibleFrom: 'public',
    actions: ['read'],
    allowWebServiceAccess: true,
    schema: {
        code: StringColumn({
            label: 'Code',
            hint: 'What the AWS Support API calls the service, for example amazon-elastic-compute-cloud-linux',
            mandatory: true,
            maxLength: 100,
        }),
        name: StringColumn({ label: 'Name', hint: 'What people call the service', mandatory: true, maxLength: 200 }),
        active: BooleanColumn({
            label: 'Active',
            hint: 'Whether AWS Support offers the service to any account',
            default: true,
        }),
    },
    index: [{ name: 'index_code', unique: true, element: 'code' }],
})

export const x_casebridge_aws_category = Table({
    name: 'x_casebridge_aws_category',
    label: 'AWS category',
    display: 'name',
    accessibleFrom: 'public',
    actions: ['read'],
    allowWebServiceAccess: true,
    schema: {
        category_key: StringColumn({
            label: 'Category key',
            hint: 'The codes of service and category: a category code alone repeats in other services',
            mandatory: true,
            maxLength: 201,
        }),
        service: ReferenceColumn({
            label: 'Service',
            referenceTable: 'x_casebridge_aws_service',
            mandatory: true,
        }),
        code: StringColumn({
            label: 'Code',
            hint: 'What the AWS Support API calls the category, for example instance-issue',
            mandatory: true,
            maxLength: 100,
        }),
        name: StringColumn({ label: 'Name', hint: 'What people call the category', mandatory: true, maxLength: 200 }),
        active: BooleanColumn({
            label: 'Active',
            hint: 'Whether AWS Support offers the category to any account',
            default: true,
        }),
    },
    index: [
        { name: 'index_category_key', unique: true, element: 'category_key' },
        { name: 'index_service', unique: false, element: 'service' },
    ],
})

// Which severities an account has depends on its support plan.
export const x_casebridge_aws_severity = Table({
    name: 'x_casebridge_aws_severity',
    label: 'AWS severity',
    display: 'name',
    accessibleFrom: 'public',
    actions: ['read'],
    allowWebServiceAccess: true,
    schema: {
        severity_key: StringColumn({
            label: 'Severity key',
            hint: 'The number of the account and the code: each account has severities of its own',
            mandatory: true,
            maxLength: 113,
        }),
        account: ReferenceColumn({
            label: 'Account',
            referenceTable: 'x_casebridge_aws_account',
            mandatory: true,
        }),
        code: StringColumn({
            label: 'Code',
            hint: 'What the AWS Support API calls the severity, for example urgent',
            mandatory: true,
            maxLength: 100,
        }),
        name: StringColumn({ label: 'Name', hint: 'What people call the severity', mandatory: true, maxLength: 200 }),
        active: BooleanColumn({
            label: 'Active',
            hint: 'Whether the support plan of the account has the severity',
            default: true,
        }),
    },
    index: [
        { name: 'index_severity_key', unique: true, element: 'severity_key' },
        { name: 'index_account', unique: false, element: 'account' },
    ],
})
