(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answerFile(function () {
        return new CasebridgeFile(calls).read();
    });
})(request, response);
