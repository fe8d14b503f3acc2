(function process(request, response) {
    var calls = new CasebridgeRequest(request, response);
    calls.answer(function () {
        return new CasebridgeCatalogue(calls).page(
            calls.oneOf('part', CasebridgeCatalogue.PARTS),
            calls.optionalText('after', CasebridgeCatalogue.CODE, CasebridgeCatalogue.CODE_FORM),
            calls.integer('limit', 1, CasebridgeCatalogue.PAGE_MAXIMUM, CasebridgeCatalogue.PAGE_DEFAULT)
        );
    });
})(request, response);
