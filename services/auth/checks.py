"""What `lendery verify` proves of auth."""

from services.auth.queries.verify_audit_log import AUDIT_GUARDS, AUDIT_LOG

CHECKS = (AUDIT_LOG, AUDIT_GUARDS)
