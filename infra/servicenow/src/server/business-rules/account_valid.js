(function executeRule(current) {
    if (!CasebridgeIncident.ACCOUNT_NUMBER.test(String(current.getValue('number')))) {
        gs.addErrorMessage('Number: an AWS account number has 12 digits.');
        current.setAbortAction(true);
        return;
    }
    var active = String(current.getValue('active'));
    var group = String(current.getValue('assignment_group'));
    // A value that is not a sys_id can't be the assignment group of an incident.
    if ((active !== '1' && active !== 'true') || !CasebridgeRequest.SYS_ID.test(group)) {
        return;
    }
    // A group must belong to one active account. With two, an incident's case could open in either.
    var other = new GlideRecord('x_casebridge_aws_account');
    other.addQuery('active', true);
    other.addQuery('assignment_group', group);
    other.addQuery('sys_id', '!=', current.getUniqueValue());
    other.setLimit(1);
    other.query();
    if (other.next()) {
        gs.addErrorMessage('Assignment group: it already belongs to the active account ' + other.getValue('number') + '.');
        current.setAbortAction(true);
    }
})(current);
