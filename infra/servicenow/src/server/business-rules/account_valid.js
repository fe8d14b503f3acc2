(function executeRule(current) {
    if (!/^[0-9]{12}$/.test(String(current.getValue('number')))) {
        gs.addErrorMessage('Number: an AWS account number has 12 digits.');
        current.setAbortAction(true);
        return;
    }
    var active = String(current.getValue('active'));
    if (active !== '1' && active !== 'true') {
        return;
    }
    // An incident's group must name one account, or its case could open in either.
    var other = new GlideRecord('x_casebridge_aws_account');
    other.addQuery('active', true);
    other.addQuery('assignment_group', current.getValue('assignment_group'));
    other.addQuery('sys_id', '!=', current.getUniqueValue());
    other.setLimit(1);
    other.query();
    if (other.next()) {
        gs.addErrorMessage('Assignment group: it already belongs to the active account ' + other.getValue('number') + '.');
        current.setAbortAction(true);
    }
})(current);
