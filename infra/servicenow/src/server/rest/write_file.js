(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answerWrite(function () {
        return new CasebridgeFile(calls).write();
    });
})(request, response);
