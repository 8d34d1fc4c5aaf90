"""What buyers, sellers and the registry are told of orders and their money."""

from credits.notices.words.wording import N_, Kind, Wording

TO_THE_STANDING_ORDER = N_("To the standing order")
TO_THE_ORDER = N_("To the order")

WORDINGS = {
    Kind.ORDER_TO_PAY: Wording(
        N_("Please send %(total)s for %(order)s"),
        N_("The credits of %(order)s are reserved for %(buyer)s until %(until)s."),
        N_("Send exactly %(total)s with the reference %(order)s, to the account on the order's page."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.STANDING_FILLED: Wording(
        N_("%(standing)s has found credits: please pay %(order)s"),
        N_("%(quantity)s of %(mineral)s that fit are reserved for %(buyer)s until %(until)s, as %(order)s for "
           "%(total)s."),
        N_("Look at the order and pay it in time. Unpaid, the credits go back on sale and the standing order pauses."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.STANDING_PAUSED: Wording(
        N_("%(standing)s is paused"),
        N_("%(reason)s %(missing)s of %(mineral)s are still wanted, and nothing more is ordered for it meanwhile."),
        N_("Resume it, and it waits behind the others; or end it. Its last day is %(until)s."),
        "{page}",
        TO_THE_STANDING_ORDER,
    ),
    Kind.STANDING_EXPIRED: Wording(
        N_("%(standing)s has ended on its last day"),
        N_("Its last day was %(until)s. %(missing)s of %(mineral)s at %(price)s a credit or less were not found."),
        N_("Leave a new one if you still want the credits."),
        "{page}",
        TO_THE_STANDING_ORDER,
    ),
    Kind.ORDER_LAPSES_SOON: Wording(
        N_("%(order)s waits for your money until %(until)s"),
        N_("The transfer of %(total)s for %(order)s has not been seen yet."),
        N_("Send it now, or cancel the order. After %(until)s others can buy the credits."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_CANCELLED: Wording(
        N_("%(order)s has ended without a payment"),
        N_("%(reason)s Nothing of %(order)s is reserved for %(buyer)s any more."),
        N_("Order again if you still want the credits. Money that comes now is sent back."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_DELIVERED: Wording(
        N_("%(order)s is paid and delivered"),
        N_("The credits of %(order)s were delivered to %(buyer)s, against %(total)s."),
        N_("The order's page has the invoice, and the certificates where the credits were retired at once."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_KEPT: Wording(
        N_("%(order)s is delivered, and was not retired"),
        N_("%(reason)s"),
        N_("Retire the credits by hand once that is possible, or transfer them."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_WAITS: Wording(
        N_("%(order)s is paid and cannot be delivered yet"),
        N_("The money of %(buyer)s for %(order)s is there. The credits wait: %(reason)s"),
        N_("They are delivered as soon as that is possible; otherwise the registry refunds the buyer."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_REFUNDED: Wording(
        N_("%(order)s is refunded"),
        N_("The credits of %(order)s went back to who sold them. Reason: %(reason)s"),
        N_("The buyer's money is sent back; the order's page says when it was."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.PAYMENT_SURPLUS: Wording(
        N_("Money came for %(order)s that it does not want"),
        N_("%(buyer)s has paid %(order)s when it had ended, or once more. All of it goes back."),
        N_("Nothing is left to do for the buyer. What came by a transfer, the registry's bank sends back."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.PAYMENT_ODD: Wording(
        N_("The payment provider says something else of %(order)s"),
        N_("What the provider tells of %(order)s is not what we know: %(about)s. Nothing was delivered by it."),
        N_("Look at the order and at the provider's own pages."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.REFUND_FAILED: Wording(
        N_("The refund of %(order)s has come back"),
        N_("The money of %(order)s did not reach %(buyer)s and is with us again."),
        N_("Ask the buyer why, then send it once more."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.DISPUTE_OPENED: Wording(
        N_("The payment of %(order)s is disputed"),
        N_("The bank of %(buyer)s asks for the money of %(order)s back. What is left of the credits is held "
           "meanwhile."),
        N_("Answer it at the payment provider. What was retired stays retired."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.DISPUTE_EXTENDED: Wording(
        N_("More credits of %(order)s are held"),
        N_("Credits of %(order)s came back to %(buyer)s while its payment is disputed. They are held with the rest."),
        N_("They are free again if the dispute is won."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.DISPUTE_RECOVERED: Wording(
        N_("Credits of %(order)s are the registry's"),
        N_("Credits of %(order)s came back to %(buyer)s, whose bank has taken the money back. They are in the "
           "registry's buffer now."),
        N_("The order's page says what of the money they leave uncovered."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.DISPUTE_CLOSED: Wording(
        N_("The dispute about %(order)s has ended"),
        N_("The dispute about the payment of %(order)s by %(buyer)s was %(outcome)s."),
        N_("The order's page says what became of the credits and of the money."),
        "{page}",
        TO_THE_ORDER,
    ),
}  # fmt: skip
