(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answerWrite(function () {
        return new CasebridgeCatalogue(calls).write(calls.body(CasebridgeCatalogue.BODY_CHARACTERS));
    });
})(request, response);
