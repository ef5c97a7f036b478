using System.Text.Json;
using Dashboard.Domain;
using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Web.Features.Connections;
using Dashboard.Web.Features.Jobs;

namespace Dashboard.Web.Api;

/// <summary>A job as a program asks for it. Only <c>name</c> is needed: the rest is the smoke test on the team's only connection.</summary>
/// <param name="Connection">May be left out while the team has one connection.</param>
/// <param name="Offer">Null takes the cheapest in total that fits.</param>
/// <param name="Spec">What to run, with the keys of the machine's <c>spec.json</c> version 1.</param>
/// <param name="Project">Null: the team's first project.</param>
/// <param name="Order">Waits for a price; left out: it starts at the price there is.</param>
/// <param name="Replaces">Number of a job of one's own that awaits approval: it is withdrawn when this one is taken.</param>
/// <param name="MayPause">True starts it although a budget may not reach to its end: it is saved and paused there.</param>
internal sealed record JobBody(
    string? Name, Guid? Connection, string? Offer, JsonElement? Spec, NeedsBody? Needs, LimitsBody? Limits, Guid? Project, IReadOnlyList<string>? Tags, bool? MayPause = null, OrderBody? Order = null, int? Replaces = null)
{
    /// <returns>The request, or what is wrong with it.</returns>
    public async Task<(JobRequest? Request, FieldProblem? Problem)> ReadAsync(ApiCaller caller, ConnectionQueries connections, string? idempotencyKey, CancellationToken ct)
    {
        var connection = Connection is { } given ? new ConnectionId(given) : (ConnectionId?)null;
        if (connection is null)
        {
            // With a choice somebody's money is at stake: the program has to say which.
            if (await connections.ListAsync(caller.Team, ct) is not [var only])
            {
                return (null, new FieldProblem("ConnectionId", "Say which connection pays: GET /api/v1/connections lists them."));
            }

            connection = only.Id;
        }

        TrainingSpec spec;
        try
        {
            spec = Spec is { ValueKind: not JsonValueKind.Null } json ? json.Deserialize<TrainingSpec>(TrainingSpec.Json)! : new TrainingSpec { Preset = Presets.Smoke };
        }
        catch (JsonException error)
        {
            return (null, new FieldProblem("Spec", error.Message));
        }

        return (new JobRequest
        {
            Name = Name ?? "",
            Spec = spec,
            ConnectionId = connection.Value,
            OfferId = Offer,
            Needs = Needs?.ToNeeds() ?? new MachineNeeds([]),
            Limits = Limits?.ToLimits() ?? new JobLimits(null, null, null),
            FinishWithin = Limits?.FinishWithinSeconds is { } within ? TimeSpan.FromSeconds(within) : null,
            Order = Order?.ToRequest(),
            ProjectId = Project is { } project ? new ProjectId(project) : null,
            Tags = Tags ?? [],
            MayPause = MayPause ?? false,
            Replaces = Replaces,
            IdempotencyKey = idempotencyKey,
        }, null);
    }
}

/// <param name="MinVramMb">Per GPU, decimal megabytes.</param>
/// <param name="MinReliability">0 to 1.</param>
internal sealed record NeedsBody(IReadOnlyList<string>? GpuNames, int? GpuCount, int? MinVramMb, decimal? MinReliability, decimal? MinDownloadMbps, bool? VerifiedOnly)
{
    public MachineNeeds ToNeeds() => new(GpuNames ?? [], GpuCount ?? 1, MinVramMb, MinReliability, MinDownloadMbps, VerifiedOnly ?? true);
}

/// <param name="MaxRuntimeSeconds">Of the program, over all attempts.</param>
/// <param name="FinishBy">When it has to be done.</param>
/// <param name="FinishWithinSeconds">The same, from the submission on.</param>
/// <param name="Bid">Rents with a bid; left out: on demand.</param>
internal sealed record LimitsBody(
    long? MaxCostMicros, long? MaxRateMicrosPerHour, int? MaxRuntimeSeconds, int? MaxAttempts,
    DateTimeOffset? FinishBy = null, int? FinishWithinSeconds = null, BidBody? Bid = null, RetryBody? Retry = null, HealthBody? Health = null)
{
    public JobLimits ToLimits()
    {
        var limits = new JobLimits(
            MaxCostMicros is { } cost ? new Money(cost) : null,
            MaxRateMicrosPerHour is { } rate ? new HourlyRate(rate) : null,
            MaxRuntimeSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null)
        {
            FinishBy = FinishBy,
            Bid = Bid is null ? null : new BidPlan(Bid.RateMicrosPerHour is { } bid ? new HourlyRate(bid) : null, Bid.OnDemandAfter),
            Retry = Retry?.ToPolicy() ?? RetryPolicy.Default,
            Health = Health is null ? HealthLimits.Default : new HealthLimits(Health.NoStepForSeconds is { } silence ? TimeSpan.FromSeconds(silence) : null, Health.MaxLoss),
        };
        return MaxAttempts is { } attempts ? limits with { MaxAttempts = attempts } : limits;
    }
}

/// <param name="LimitMicrosPerHour">GPU and disk of the job's machine.</param>
/// <param name="Until">Good until then; together with <paramref name="GoodForSeconds"/> the earlier counts. Left out both: without end.</param>
/// <param name="Then">What happens then: <c>Cancel</c> (default), <c>Wait</c> or <c>TakeBest</c>.</param>
internal sealed record OrderBody(long? LimitMicrosPerHour, DateTimeOffset? Until = null, int? GoodForSeconds = null, OrderEnding? Then = null)
{
    public OrderRequest ToRequest() =>
        new(new HourlyRate(LimitMicrosPerHour ?? 0), GoodForSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, Until, Then ?? OrderEnding.Cancel);
}

/// <summary>An order as it stands. Amounts are null when not yours to see.</summary>
/// <param name="FiredAt">When a fitting machine was found; null: it waits, or its time has passed.</param>
/// <param name="LiftedAt">Since when any price will do.</param>
/// <param name="LowestMicrosPerHour">What the cheapest machine that the job could use cost at <paramref name="LowestAt"/>; null: there was none, or nobody looked yet.</param>
internal sealed record OrderAnswer(
    long? LimitMicrosPerHour, DateTimeOffset? Until, OrderEnding Then, DateTimeOffset? FiredAt, DateTimeOffset? LiftedAt, DateTimeOffset? LookedAt, long? LowestMicrosPerHour, DateTimeOffset? LowestAt)
{
    public static OrderAnswer? Of(PriceOrder? order, bool money) => order is null
        ? null
        : new(money ? order.Limit.MicrosPerHour : null, order.Until, order.Then, order.FiredAt, order.LiftedAt, order.LookedAt, money ? order.Lowest?.MicrosPerHour : null, order.LowestAt);
}

/// <summary>Why a job waits for somebody's yes: the first limit it passes. Amounts are null when not yours to see.</summary>
/// <param name="Kind">What the limit is for: <c>Job</c>, <c>Hour</c> or <c>Month</c>.</param>
/// <param name="AskedMicros">Of an hour where the kind says so; the limit likewise.</param>
internal sealed record ApprovalAnswer(RoleLimitKind Kind, long? AskedMicros, long? LimitMicros, long? ExpectedMicros, long? RateMicrosPerHour)
{
    public static ApprovalAnswer? Of(ApprovalAsk? ask, bool money) => ask is null
        ? null
        : money ? new(ask.Passed[0].Kind, ask.Passed[0].Asked.Micros, ask.Passed[0].Limit.Micros, ask.Total?.Micros, ask.Rate?.MicrosPerHour) : new(ask.Passed[0].Kind, null, null, null, null);
}

/// <param name="RateMicrosPerHour">For the whole machine, without disk; left out: a quarter above the lowest bid the host takes.</param>
/// <param name="OnDemandAfter">After so many interruptions it goes on on demand.</param>
internal sealed record BidBody(long? RateMicrosPerHour, int? OnDemandAfter);

/// <summary>How often it tries again, by what went wrong; what is left out has its default.</summary>
internal sealed record RetryBody(int? Capacity, int? Machine, int? Interruption, int? Script)
{
    public RetryPolicy ToPolicy()
    {
        var usual = RetryPolicy.Default;
        return new RetryPolicy(Capacity ?? usual.Capacity, Machine ?? usual.Machine, Interruption ?? usual.Interruption, Script ?? usual.Script);
    }
}

/// <param name="NoStepForSeconds">Without a step for so long it counts as hung; 0: never.</param>
/// <param name="MaxLoss">Above it for five logged steps in a row it counts as diverged.</param>
internal sealed record HealthBody(int? NoStepForSeconds, double? MaxLoss);
