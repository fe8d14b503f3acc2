(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answerWrite(function () {
        return new CasebridgeDelivery(calls).deliver(calls.body());
    });
})(request, response);
