import { ApplicationMenu, List, Record, default_view } from '@servicenow/sdk/core'
import { admin, user } from './roles.now'

const menu = ApplicationMenu({
    $id: Now.ID['menu'],
    title: 'casebridge',
    hint: 'Incidents and AWS Support cases in step',
    description: 'Accounts, outbox and errors of casebridge',
    roles: [user],
    active: true,
})

Record({
    $id: Now.ID['module-accounts'],
    table: 'sys_app_module',
    data: {
        title: 'Accounts',
        application: menu,
        link_type: 'LIST',
        name: 'x_casebridge_aws_account',
        hint: 'The AWS accounts and their assignment groups',
        roles: [user],
        active: true,
        order: 100,
    },
})
Record({
    $id: Now.ID['module-services'],
    table: 'sys_app_module',
    data: {
        title: 'AWS services',
        application: menu,
        link_type: 'LIST',
        name: 'x_casebridge_aws_service',
        hint: 'What incidents may be about. casebridge keeps it as AWS Support shows it',
        roles: [user],
        active: true,
        order: 120,
    },
})
Record({
    $id: Now.ID['module-categories'],
    table: 'sys_app_module',
    data: {
        title: 'AWS categories',
        application: menu,
        link_type: 'LIST',
        name: 'x_casebridge_aws_category',
        hint: 'The categories of the AWS services',
        roles: [user],
        active: true,
        order: 140,
    },
})
Record({
    $id: Now.ID['module-severities'],
    table: 'sys_app_module',
    data: {
        title: 'AWS severities',
        application: menu,
        link_type: 'LIST',
        name: 'x_casebridge_aws_severity',
        hint: 'The severities that the support plan of each account has',
        roles: [user],
        active: true,
        order: 160,
    },
})
Record({
    $id: Now.ID['module-incidents-in-error'],
    table: 'sys_app_module',
    data: {
        title: 'Incidents in error',
        application: menu,
        link_type: 'LIST',
        name: 'incident',
        filter: 'x_casebridge_aws_sync_status=error',
        hint: 'Incidents that cannot be brought in step with their case',
        roles: [user],
        active: true,
        order: 200,
    },
})
Record({
    $id: Now.ID['module-outbox-errors'],
    table: 'sys_app_module',
    data: {
        title: 'Outbox errors',
        application: menu,
        link_type: 'LIST',
        name: 'x_casebridge_aws_outbox',
        filter: 'state=error',
        hint: 'Webhooks that AWS has not accepted yet, and why',
        roles: [user],
        active: true,
        order: 300,
    },
})
Record({
    $id: Now.ID['module-outbox'],
    table: 'sys_app_module',
    data: {
        title: 'Outbox',
        application: menu,
        link_type: 'LIST',
        name: 'x_casebridge_aws_outbox',
        hint: 'All webhooks, sent ones included',
        roles: [user],
        active: true,
        order: 400,
    },
})
Record({
    $id: Now.ID['module-deliveries'],
    table: 'sys_app_module',
    data: {
        title: 'Deliveries',
        application: menu,
        link_type: 'LIST',
        name: 'x_casebridge_aws_delivery',
        hint: 'The messages and files that came from AWS',
        roles: [admin],
        active: true,
        order: 500,
    },
})
Record({
    $id: Now.ID['module-links'],
    table: 'sys_app_module',
    data: {
        title: 'Links',
        application: menu,
        link_type: 'LIST',
        name: 'x_casebridge_aws_link',
        hint: 'How each link of an incident does: the incident shows the worst of them',
        roles: [user],
        active: true,
        order: 550,
    },
})
Record({
    $id: Now.ID['module-settings'],
    table: 'sys_app_module',
    data: {
        title: 'Settings',
        application: menu,
        link_type: 'LIST',
        name: 'x_casebridge_aws_settings',
        hint: 'The address and the secret of the webhook, and the integration user',
        roles: [admin, 'admin'],
        active: true,
        order: 600,
    },
})
Record({
    $id: Now.ID['module-properties'],
    table: 'sys_app_module',
    data: {
        title: 'Properties',
        application: menu,
        link_type: 'LIST',
        name: 'sys_properties',
        filter: 'nameSTARTSWITHx_casebridge_aws.',
        hint: 'Which texts go to AWS, and times that hardly anybody needs to change',
        roles: ['admin'],
        active: true,
        order: 700,
    },
})

List({
    table: 'x_casebridge_aws_account',
    view: default_view,
    columns: ['name', 'number', 'active', 'production', 'assignment_group', 'aws_user'],
})
List({
    table: 'x_casebridge_aws_service',
    view: default_view,
    columns: ['name', 'code', 'active'],
})
List({
    table: 'x_casebridge_aws_category',
    view: default_view,
    columns: ['service', 'name', 'code', 'active'],
})
List({
    table: 'x_casebridge_aws_severity',
    view: default_view,
    columns: ['account', 'name', 'code', 'active'],
})
List({
    table: 'x_casebridge_aws_settings',
    view: default_view,
    columns: ['webhook_url', 'allowed_hosts', 'integration_user', 'home_instance'],
})
List({
    table: 'x_casebridge_aws_outbox',
    view: default_view,
    columns: ['sys_created_on', 'incident', 'state', 'attempts', 'next_attempt_at', 'last_error', 'sent_at', 'webhook_id'],
})
List({
    table: 'x_casebridge_aws_delivery',
    view: default_view,
    columns: ['sys_created_on', 'external_id', 'incident', 'state', 'claimed_at', 'journal'],
})
List({
    table: 'x_casebridge_aws_link',
    view: default_view,
    columns: ['incident', 'kind', 'sync_status', 'last_error', 'sys_updated_on'],
})
