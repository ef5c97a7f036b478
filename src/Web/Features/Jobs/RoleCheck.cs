using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Budgets;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Whether a request needs somebody's yes: the same figures on the form's button and where it is saved.</summary>
/// <param name="Ask">Null: nobody need be asked.</param>
/// <param name="Limits">What the job is held to: no estimate is a way past its role's limits.</param>
internal sealed record RoleCheck(ApprovalAsk? Ask, JobLimits Limits)
{
    /// <param name="chosen">The offer the estimate stands on; null: none answered.</param>
    public static RoleCheck Of(RoleStanding standing, Role role, bool simulated, JobRequest request, QuotedOffer? chosen, HoldTerms terms)
    {
        var quoted = chosen is null ? null : AtItsPrice(request, chosen);
        var spend = new RoleSpend(Total(request, quoted), Rate(request, quoted), standing.Month);
        var limit = standing.For(simulated);
        var passed = RoleLimitRules.Passed(limit, spend);
        Money? atMost = quoted is null ? null : BudgetRules.Needed(quoted.Estimate, quoted.Offer.Rate, request.Limits.MaxCost, terms);
        return new RoleCheck(
            passed.Count == 0 ? null : new ApprovalAsk(role, spend.Total, spend.Rate, passed),
            RoleLimitRules.Bound(limit, request.Limits, spend, passed, atMost));
    }

    /// <summary>What it costs on that machine at the price the job waits for, where that is what it will be rented at.</summary>
    public static QuotedOffer AtItsPrice(JobRequest request, QuotedOffer quoted)
    {
        if (request.Order is not { Then: not OrderEnding.TakeBest, Limit: var limit } || quoted.Offer.Rate <= limit || limit <= quoted.Offer.DiskRate)
        {
            return quoted;
        }

        var offer = quoted.Offer with { GpuRate = new HourlyRate(limit.MicrosPerHour - quoted.Offer.DiskRate.MicrosPerHour) };
        return new QuotedOffer(offer, JobEstimator.Estimate(request.Spec, offer, request.Limits.MaxRuntime));
    }

    private static Money? Total(JobRequest request, QuotedOffer? quoted) =>
        quoted is { Estimate.Expected: var expected } && !(request.Limits.MaxCost < expected) ? expected : request.Limits.MaxCost;

    // Whoever waits for a price is ready to pay it.
    private static HourlyRate? Rate(JobRequest request, QuotedOffer? quoted) =>
        request.Order is { Limit: var limit } && !(request.Order.Then == OrderEnding.TakeBest && quoted?.Offer.Rate > limit) ? limit : quoted?.Offer.Rate;
}
