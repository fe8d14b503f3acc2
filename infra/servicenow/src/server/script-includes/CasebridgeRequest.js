/**
 * Reads a request of the REST API, part by part, and answers it. What is wrong with a request ends in one error
 * envelope that names the field.
 */
var CasebridgeRequest = Class.create();

CasebridgeRequest.SYS_ID = /^[0-9a-f]{32}$/;
/** What begins so is no value to a query: the platform runs it as a script. */
CasebridgeRequest.SCRIPT = /^\s*javascript:/i;
CasebridgeRequest.TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$/;

CasebridgeRequest.prototype = {
    initialize: function (request, response) {
        this.request = request;
        this.response = response;
    },

    /** Runs `produce`, which writes nothing, and answers with what it returns, or with the error that it raised by `fail`. */
    answer: function (produce) {
        this._answer(produce, gs.hasRole('admin'));
    },

    /** The same for what writes. */
    answerWrite: function (produce) {
        this._answer(produce, false);
    },

    _answer: function (produce, isAllowed) {
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
        this.response.setStatus(200);
        this.response.setBody(result);
    },

    // What is wrong here passes when an administrator has put it right: it is no answer about an incident.
    _checkInstallation: function () {
        var problem = new CasebridgeInstallation().problem();
        if (problem !== null) {
            this.fail(503, problem.message, problem.detail);
        }
    },

    // The role alone does not tell who calls: what anyone else wrote would look like a person's words and be sent back to AWS,
    // and what anyone else read would be more than their own access controls show. An administrator sees all of it anyway.
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
     * Ends the request with an error about the form of one of its fields: its sender is of another version than this app, and
     * takes it so.
     */
    invalid: function (field, requirement) {
        this.fail(400, 'Invalid request', field + ': ' + requirement);
    },

    /** The same about what a field holds: another incident's may be right. */
    unacceptable: function (field, requirement) {
        this.fail(400, 'Content not accepted', field + ': ' + requirement);
    },

    /** The incident's sys_id from the path. */
    incident: function () {
        var value = String(this.request.pathParams.sys_id);
        if (!CasebridgeRequest.SYS_ID.test(value)) {
            this.fail(404, 'No such incident', 'A sys_id has 32 hexadecimal digits.');
        }
        return value;
    },

    /**
     * The incident of the path as it is now, and a moment before it was read. An incident that AWS may not see gets an
     * answer of its own: it is there, and AWS must not take it for deleted.
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

    /** The query parameter that names the kind of the link that asks. */
    kind: function () {
        var given = this.request.queryParams.kind;
        return this.checkKind(given === undefined || given === null ? undefined : this._parameter('kind'));
    },

    /** The value, which must name a kind of link. Whoever gives none is of a former version, and knows Support cases alone. */
    checkKind: function (value) {
        if (value === undefined) {
            return CasebridgeLink.KIND_OF_FORMER_VERSIONS;
        }
        if (typeof value !== 'string' || !CasebridgeLink.KIND.test(value)) {
            this.invalid('kind', 'must be 1 to 40 small letters and underscores, for example support_case');
        }
        return value;
    },

    /** A query parameter that holds a sys_id, or ''. */
    sysId: function (name) {
        var value = this._parameter(name);
        if (value !== '' && !CasebridgeRequest.SYS_ID.test(value)) {
            this.invalid(name, 'a sys_id has 32 hexadecimal digits');
        }
        return value;
    },

    /** A query parameter that holds a time in UTC. */
    time: function (name) {
        return this.checkTime(name, this._parameter(name));
    },

    /** A query parameter that holds a time in UTC, or ''. */
    optionalTime: function (name) {
        var value = this._parameter(name);
        return value === '' ? '' : this.checkTime(name, value);
    },

    /** The value, which must be a time in UTC. */
    checkTime: function (name, value) {
        if (typeof value !== 'string' || !CasebridgeRequest.TIME.test(value)) {
            this.invalid(name, 'must be a time in UTC, for example 2026-11-20 21:14:05');
        }
        return value;
    },

    /** A query parameter that holds a whole number; `otherwise` if it is missing. */
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

    /** The body, which must be a JSON object. */
    body: function () {
        var body = null;
        try {
            body = JSON.parse(String(this.request.body.dataString));
        } catch (problem) {
            this.invalid('body', 'must be JSON');
        }
        if (Object.prototype.toString.call(body) !== '[object Object]') {
            this.invalid('body', 'must be a JSON object');
        }
        return body;
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
