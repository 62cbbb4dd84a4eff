"""Which message goes to which use case."""

from services.auth.commands.append_action import append_action
from services.auth.commands.check_kyc import check_kyc_on_request
from services.auth.commands.collect_export import keep_export_part
from services.auth.commands.settle_erasure import hear_erasure_answer, hear_erasure_report
from services.auth.personal_data import PERSONAL_DATA
from shared.contracts.auth.audit_events import ActionTaken
from shared.contracts.auth.kyc_commands import CheckIdentity
from shared.contracts.auth.privacy_messages import AnswerErasure, DeliverExportPart, ReportErasure
from shared.messaging.consumer import ConsumerTable
from shared.privacy import export_consumer

CONSUMERS: ConsumerTable = {
    ActionTaken: append_action,
    CheckIdentity: check_kyc_on_request,
    **export_consumer(PERSONAL_DATA),
    DeliverExportPart: keep_export_part,
    AnswerErasure: hear_erasure_answer,
    ReportErasure: hear_erasure_report,
}
