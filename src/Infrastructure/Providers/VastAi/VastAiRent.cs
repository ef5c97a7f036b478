using System.Text.RegularExpressions;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Infrastructure.Providers.VastAi;

/// <summary>Turns the answer to the one rent call into a result.</summary>
internal static partial class VastAiRent
{
    /// <param name="reply">Whatever came back.</param>
    /// <param name="bid">Whether a bid was sent.</param>
    public static RentResult Read(VastAiReply reply, bool bid)
    {
        // Looked for in the text as well, at any status: a refused bid may have made a machine that bills, and a cut-off body may still name it.
        var contract = NewContract().Match(reply.Text) is { Success: true } found ? found.Groups[1].Value : null;
        if (reply.Ok)
        {
            return contract is null
                ? new RentResult.Unclear($"{(int)reply.Status} without a contract id", Light: false)
                : new RentResult.Rented(contract, InstanceKeyOf(reply));
        }

        if (contract is not null)
        {
            return bid && !MentionsOtherReason(reply) ? new RentResult.BidTooLow(contract) : new RentResult.Refused(reply.Message, contract);
        }

        return VastAiErrors.Classify(reply) switch
        {
            VastAiFault.KeyRefused => new RentResult.KeyRefused(reply.Message),
            VastAiFault.OfferGone or VastAiFault.InstanceGone => new RentResult.OfferGone(),
            VastAiFault.CreditTooLow => new RentResult.CreditTooLow(reply.Message),
            VastAiFault.SpendRateLimited => new RentResult.SpendRateLimited(reply.Message),
            VastAiFault.TooOften => new RentResult.Unclear(reply.ToString(), Light: true),
            VastAiFault.Refused or VastAiFault.Deprecated when bid && LowBid().IsMatch(reply.Message) => new RentResult.BidTooLow(null),
            VastAiFault.Refused => new RentResult.Refused(reply.Message, null),

            // 410 belongs to asks that are gone, and this one says something else.
            VastAiFault.Deprecated => new RentResult.Refused(reply.Message, null),
            VastAiFault.Unknown => new RentResult.Unclear(reply.ToString(), Light: false),
        };
    }

    private static bool MentionsOtherReason(VastAiReply reply) =>
        VastAiErrors.Classify(reply) is VastAiFault.KeyRefused or VastAiFault.CreditTooLow or VastAiFault.SpendRateLimited or VastAiFault.TooOften;

    private static Secret? InstanceKeyOf(VastAiReply reply) =>
        reply.Field("instance_api_key") is { ValueKind: System.Text.Json.JsonValueKind.String } key && key.GetString() is { Length: > 0 } text ? new Secret(text) : null;

    [GeneratedRegex("""
        "new_contract"\s*:\s*"?([0-9]+)
        """)]
    private static partial Regex NewContract();

    [GeneratedRegex(@"\b(bid|price)\b.*\b(low|lower|below|less|minimum|at least)\b", RegexOptions.IgnoreCase)]
    private static partial Regex LowBid();
}
