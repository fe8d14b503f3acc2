/**
 * Reads a request of the REST API, part by part, and answers it. A wrong field ends the request with an error envelope
 * that names the field.
 */
var CasebridgeRequest = Class.create();

CasebridgeRequest.SYS_ID = /^[0-9a-f]{32}$/;
/** The beginning of a text that the platform runs as a script if it is a value in a query. */
CasebridgeRequest.SCRIPT = /^\s*javascript:/i;
/** The content type of a file's bytes, whatever the file is. */
CasebridgeRequest.BYTES = 'application/octet-stream';
CasebridgeRequest.TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$/;

CasebridgeRequest.prototype = {
    initialize: function (request, response) {
        this.request = request;
        this.response = response;
    },

    /** Runs `produce`, which writes nothing. Answers with its result, or with the error that it raised by `fail`. */
    answer: function (produce) {
        this._answer(produce, gs.hasRole('admin'), this._send);
    },

    /** Like `answer`, for a `produce` that writes. */
    answerWrite: function (produce) {
        this._answer(produce, false, this._send);
    },

    /** Like `answer`, for a `produce` that returns the stream of a file. */
    answerFile: function (produce) {
        this._answer(produce, gs.hasRole('admin'), this._stream);
    },

    // Answers with what `produce` returns, by `send`.
    _answer: function (produce, isAllowed, send) {
        var result;
        try {
            this._checkInstallation();
            this._checkUser(isAllowed);
            result = produce();
        } catch (problem) {
            if (!problem || !problem.casebridge) {
                gs.error('casebridge: ' + problem);
                problem = { status: 500, message: 'Operation failed', detail: 'The system log has the cause.' };
            }
            var error = new sn_ws_err.ServiceError();
            error.setStatus(problem.status);
            error.setMessage(problem.message);
            error.setDetail(problem.detail);
            this.response.setError(error);
            return;
        }
        send.call(this, result);
    },

    _send: function (result) {
        this.response.setStatus(200);
        this.response.setBody(result);
    },

    // The platform takes status and type before the first byte alone.
    _stream: function (stream) {
        this.response.setStatus(200);
        this.response.setContentType(CasebridgeRequest.BYTES);
        this.response.getStreamWriter().writeStream(stream);
    },

    // Fails with 503 while the app is silent: an administrator has to act, and the answer says nothing about an
    // incident.
    _checkInstallation: function () {
        var problem = new CasebridgeInstallation().problem();
        if (problem !== null) {
            this.fail(503, problem.message, problem.detail);
        }
    },

    // Fails unless the integration user calls, or an administrator reads. The role alone is not enough. A delivery by
    // another user would look like a person's text and be sent back to AWS. Another reader would see more than the
    // access controls show that user. An administrator sees everything anyway.
    _checkUser: function (isAllowed) {
        if (!isAllowed && !new CasebridgeInstallation().isIntegrationUser()) {
            this.fail(
                403,
                'Not the integration user',
                'Only the user whom the settings of casebridge name may deliver, and, beside administrators, read.'
            );
        }
    },

    /** Ends the request with an error. */
    fail: function (status, message, detail) {
        throw { casebridge: true, status: status, message: message, detail: detail };
    },

    /**
     * Ends the request with an error about the form of a field. The sender concludes that it and the app are of
     * different versions.
     */
    invalid: function (field, requirement) {
        this.fail(400, 'Invalid request', field + ': ' + requirement);
    },

    /** Ends the request with an error about the content of a field. Requests for other incidents may be right. */
    unacceptable: function (field, requirement) {
        this.fail(400, 'Content not accepted', field + ': ' + requirement);
    },

    /** Returns the incident's sys_id from the path. */
    incident: function () {
        var value = String(this.request.pathParams.sys_id);
        if (!CasebridgeRequest.SYS_ID.test(value)) {
            this.fail(404, 'No such incident', 'A sys_id has 32 hexadecimal digits.');
        }
        return value;
    },

    /** Returns the file's sys_id from the path. */
    file: function () {
        var value = String(this.request.pathParams.file);
        if (!CasebridgeRequest.SYS_ID.test(value)) {
            this.fail(404, 'No such file', 'A sys_id has 32 hexadecimal digits.');
        }
        return value;
    },

    /** Returns the body as a stream, which can be read once. */
    stream: function () {
        return this.request.body.dataStream;
    },

    /**
     * Returns the incident of the path as it is now, and a moment before it was read. An incident that AWS may not see
     * gets 403 instead of 404: it exists, and AWS must not take it for deleted.
     */
    read: function (incidents) {
        var sysId = this.incident();
        var takenAt = String(new GlideDateTime().getValue());
        var incident = incidents.find(sysId);
        if (incident === null) {
            this.fail(404, 'No such incident', 'There is no incident ' + sysId + '.');
        }
        if (!incidents.isServed(incident)) {
            this.fail(403, 'Incident not served', 'It has no AWS case, is not in scope, and AWS has not heard of it.');
        }
        return { incident: incident, takenAt: takenAt };
    },

    /** Returns the query parameter that names the kind of the link that asks. */
    kind: function () {
        var given = this.request.queryParams.kind;
        return this.checkKind(given === undefined || given === null ? undefined : this._parameter('kind'));
    },

    /** Returns the value, which must name a kind of link. A former version sends none and means a Support case. */
    checkKind: function (value) {
        if (value === undefined) {
            return CasebridgeLink.KIND_OF_FORMER_VERSIONS;
        }
        if (typeof value !== 'string' || !CasebridgeLink.KIND.test(value)) {
            this.invalid('kind', 'must be 1 to 40 small letters and underscores, for example support_case');
        }
        return value;
    },

    /** Returns a query parameter that holds a sys_id, or ''. */
    sysId: function (name) {
        var value = this._parameter(name);
        if (value !== '' && !CasebridgeRequest.SYS_ID.test(value)) {
            this.invalid(name, 'a sys_id has 32 hexadecimal digits');
        }
        return value;
    },

    /** Returns a query parameter that holds a time in UTC. */
    time: function (name) {
        return this.checkTime(name, this._parameter(name));
    },

    /** Returns a query parameter that holds a time in UTC, or ''. */
    optionalTime: function (name) {
        var value = this._parameter(name);
        return value === '' ? '' : this.checkTime(name, value);
    },

    /** Returns the value, which must be a time in UTC. */
    checkTime: function (name, value) {
        if (typeof value !== 'string' || !CasebridgeRequest.TIME.test(value)) {
            this.invalid(name, 'must be a time in UTC, for example 2026-11-20 21:14:05');
        }
        return value;
    },

    /** Refuses unknown names: if they were ignored, nobody would notice the mistake. */
    checkNames: function (prefix, values, known) {
        Object.keys(values).forEach(function (key) {
            if (known.indexOf(key) < 0) {
                this.invalid(prefix + key, 'is not known; known are ' + known.join(', '));
            }
        }, this);
    },

    /** Refuses a value that is not a text. */
    checkText: function (name, value) {
        if (typeof value !== 'string') {
            this.invalid(name, 'must be a string');
        }
    },

    /**
     * Refuses a value that is not a text of this length. A text of the wrong length is about this incident's content, not
     * about the version of the sender.
     */
    checkContent: function (name, value, minimum, maximum) {
        this.checkText(name, value);
        if (value.length < minimum || value.length > maximum) {
            this.unacceptable(name, 'must have ' + minimum + ' to ' + maximum + ' characters');
        }
    },

    /** Returns the texts of an object, of which all names are known. Returns no texts if there is no object. */
    texts: function (name, values, known, maximum) {
        var texts = {};
        if (values === undefined || values === null) {
            return texts;
        }
        this.checkObject(name, values);
        this.checkNames(name + '.', values, known);
        Object.keys(values).forEach(function (key) {
            this.checkContent(name + '.' + key, values[key], 0, maximum);
            texts[key] = values[key];
        }, this);
        return texts;
    },

    /** Returns a query parameter that holds a whole number, or `otherwise` if it is missing. */
    integer: function (name, minimum, maximum, otherwise) {
        var value = this._parameter(name);
        if (value === '') {
            return otherwise;
        }
        var number = /^[0-9]{1,9}$/.test(value) ? parseInt(value, 10) : NaN;
        if (!(number >= minimum && number <= maximum)) {
            this.invalid(name, 'must be a whole number from ' + minimum + ' to ' + maximum);
        }
        return number;
    },

    /** Returns a query parameter that must be one of these words. */
    oneOf: function (name, words) {
        var value = this._parameter(name);
        if (words.indexOf(value) < 0) {
            this.invalid(name, 'must be one of ' + words.join(', '));
        }
        return value;
    },

    /** Returns a query parameter, which must have this form. `requirement` says the form in words. */
    text: function (name, form, requirement) {
        var value = this._parameter(name);
        if (!form.test(value)) {
            this.invalid(name, requirement);
        }
        return value;
    },

    /** Returns a query parameter that has this form, or ''. */
    optionalText: function (name, form, requirement) {
        return this._parameter(name) === '' ? '' : this.text(name, form, requirement);
    },

    /** Returns the body, which must be a JSON object. `maximum` is the most characters that it may have, if given. */
    body: function (maximum) {
        var body = null;
        var text = this._bodyText();
        if (maximum !== undefined && text.length > maximum) {
            this.invalid('body', 'must have at most ' + maximum + ' characters');
        }
        try {
            body = JSON.parse(text);
        } catch (problem) {
            this.invalid('body', 'must be JSON');
        }
        if (Object.prototype.toString.call(body) !== '[object Object]') {
            this.invalid('body', 'must be a JSON object');
        }
        return body;
    },

    /** Fails unless the value is an object. */
    checkObject: function (name, value) {
        if (Object.prototype.toString.call(value) !== '[object Object]') {
            this.invalid(name, 'must be an object');
        }
    },

    /** Returns the list, or an empty one if it is missing. It must be a list of at most `maximum` elements. */
    checkList: function (name, value, maximum) {
        if (value === undefined || value === null) {
            return [];
        }
        if (!Array.isArray(value)) {
            this.invalid(name, 'must be a list');
        }
        if (value.length > maximum) {
            this.invalid(name, 'must hold at most ' + maximum);
        }
        return value;
    },

    // Returns the body as it was sent, or '' if there is none.
    _bodyText: function () {
        try {
            return String(this.request.body.dataString);
        } catch (problem) {
            return '';
        }
    },

    // The platform holds the values of a parameter in a list.
    _parameter: function (name) {
        var value = this.request.queryParams[name];
        if (value === undefined || value === null) {
            return '';
        }
        if (typeof value !== 'string' && value.length > 0) {
            value = value[0];
        }
        return String(value);
    },

    type: 'CasebridgeRequest'
};
