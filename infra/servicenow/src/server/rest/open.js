(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answerWrite(function () {
        return new CasebridgeOpening(calls).open(calls.body());
    });
})(request, response);
