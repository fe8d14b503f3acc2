/**
 * Decides which texts of an incident's journal go to AWS: every comment, or only those with the prefix that is set for
 * comments, and no work note but those with the prefix that is set for work notes. Nothing by a silent author goes.
 *
 * The rules are properties of the app, not a part of the policy in AWS. So a text that stays at home is in no answer to
 * AWS.
 */
var CasebridgeSharing = Class.create();

CasebridgeSharing.COMMENTS = 'comments';
CasebridgeSharing.WORK_NOTES = 'work_notes';
CasebridgeSharing.PREFIX_PROPERTIES = {
    comments: 'x_casebridge_aws.comment_prefix',
    work_notes: 'x_casebridge_aws.work_note_prefix'
};
CasebridgeSharing.SILENT_AUTHORS_PROPERTY = 'x_casebridge_aws.silent_authors';

/** Returns what an administrator has set, without the white space around it, or '' if nothing is set. */
CasebridgeSharing.property = function (name) {
    return String(gs.getProperty(name, '') || '').trim();
};

CasebridgeSharing.prototype = {
    initialize: function () {
        this.prefixes = {};
        [CasebridgeSharing.COMMENTS, CasebridgeSharing.WORK_NOTES].forEach(function (element) {
            this.prefixes[element] = CasebridgeSharing.property(CasebridgeSharing.PREFIX_PROPERTIES[element]);
        }, this);
        var names = CasebridgeSharing.property(CasebridgeSharing.SILENT_AUTHORS_PROPERTY).toLowerCase();
        this.silentAuthors = names.split(',').map(function (name) {
            return name.trim();
        });
    },

    /** Returns the fields of the journal that may hold a text for AWS. Work notes are read only if some are shared. */
    elements: function () {
        var elements = [CasebridgeSharing.COMMENTS];
        if (this.prefixes[CasebridgeSharing.WORK_NOTES] !== '') {
            elements.push(CasebridgeSharing.WORK_NOTES);
        }
        return elements;
    },

    /**
     * Returns what goes to AWS of a text that this author wrote in this field: the text, or what follows its prefix.
     * Returns '' if the text stays at home.
     */
    shared: function (element, author, text) {
        if (this.isSilent(author)) {
            return '';
        }
        var prefix = this.prefixes[element];
        if (prefix === '') {
            return element === CasebridgeSharing.COMMENTS ? text : '';
        }
        var words = text.trim();
        // Only the beginning counts: a note that quotes the prefix further on stays at home.
        if (words.substring(0, prefix.length).toLowerCase() !== prefix.toLowerCase()) {
            return '';
        }
        return words.substring(prefix.length).trim();
    },

    /** Whether nothing that this author writes goes to AWS. User names are compared as the platform does: in any case. */
    isSilent: function (author) {
        return author !== '' && this.silentAuthors.indexOf(author.toLowerCase()) >= 0;
    },

    type: 'CasebridgeSharing'
};
