(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answer(function () {
        return new CasebridgeDelivery(calls).deliver(calls.body());
    });
})(request, response);
