(function executeRule(current) {
    new CasebridgeAccount(current).setUp();
})(current);
