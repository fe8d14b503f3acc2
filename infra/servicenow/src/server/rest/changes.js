(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answer(function () {
        return new CasebridgeChanges().list(
            calls.time('since'),
            calls.sysId('after'),
            calls.integer('limit', 1, CasebridgeChanges.LIMIT_MAXIMUM, CasebridgeChanges.LIMIT_DEFAULT)
        );
    });
})(request, response);
