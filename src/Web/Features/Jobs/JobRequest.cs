using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Web.Features.Jobs;

/// <summary>What the form or the API asks for. The form, the API and imported specs go through the same validator.</summary>
public sealed record JobRequest
{
    public required string Name { get; init; }

    public required TrainingSpec Spec { get; init; }

    public required ConnectionId ConnectionId { get; init; }

    /// <summary>The chosen offer; null takes the cheapest in total that fits.</summary>
    public string? OfferId { get; init; }

    public MachineNeeds Needs { get; init; } = new([]);

    public JobLimits Limits { get; init; } = new(null, null, null);

    /// <summary>From the submission to the end at most; together with <see cref="JobLimits.FinishBy"/> the earlier counts.</summary>
    public TimeSpan? FinishWithin { get; init; }

    /// <summary>Null: it starts at the price there is.</summary>
    public OrderRequest? Order { get; init; }

    /// <summary>Null: the team's first project.</summary>
    public ProjectId? ProjectId { get; init; }

    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Start it although a budget may not reach to its end: it is saved and paused there.</summary>
    public bool MayPause { get; init; }

    /// <summary>A job of the same person that awaits approval, by its number: it is withdrawn when this one is taken. Null: none.</summary>
    public int? Replaces { get; init; }

    /// <summary>The same key submits once, however often it is sent.</summary>
    public string? IdempotencyKey { get; init; }
}

/// <summary>Start when a machine costs at most a limit.</summary>
/// <param name="Limit">GPU and disk, per hour.</param>
/// <param name="GoodFor">From the submission on; together with <paramref name="Until"/> the earlier counts. Null both: until somebody stops it.</param>
public sealed record OrderRequest(HourlyRate Limit, TimeSpan? GoodFor, DateTimeOffset? Until, OrderEnding Then)
{
    public PriceOrder From(DateTimeOffset now) => new(Limit, GoodFor is { } time && !(Until < now + time) ? now + time : Until, Then);
}

/// <param name="Field">Name of the property of <see cref="JobRequest"/> the message belongs to, for example <c>Name</c> or <c>Spec.Command.Script</c>.</param>
/// <param name="Message">One sentence that says what is wrong and what would be right.</param>
public sealed record FieldProblem(string Field, string Message);

/// <summary>The answer to a submission. Closed: every caller answers each case.</summary>
public abstract record SubmitResult
{
    private SubmitResult() { }

    public sealed record Accepted(JobId Id, int Number) : SubmitResult
    {
        /// <summary>What it waits for; null: nothing.</summary>
        public PriceOrder? Order { get; init; }

        /// <summary>What somebody has to say yes to first; null: nothing.</summary>
        public ApprovalAsk? Ask { get; init; }
    }

    public sealed record Invalid(IReadOnlyList<FieldProblem> Problems) : SubmitResult;

    /// <summary>A budget does not reach to its end. Nothing was saved; the same request may be sent again with a lower limit, another project, or as one that may pause.</summary>
    /// <param name="Name">Whose budget it is.</param>
    /// <param name="Needed">The estimate's upper end, saving and destroying included.</param>
    /// <param name="Left">Of the budget, less what is held and promised.</param>
    /// <param name="MayPause">Whether that choice exists here.</param>
    /// <param name="Project">Whether it is a project's budget: another project may have more left.</param>
    public sealed record OverBudget(string Name, Money Needed, Money Left, Money Limit, bool MayPause, bool Project) : SubmitResult
    {
        /// <summary>What happened and what it cost.</summary>
        public string Message => $"This job may cost up to {Needed.Words()}; {Name} has {Left.Words()} left of {Limit.Words()}. It was not started, $0.00.";
    }

    /// <summary>The provider did not answer in time, so nobody can say what it would cost. Nothing was saved; the same request may be sent again.</summary>
    /// <param name="Message">What happened, what it cost, what to do.</param>
    public sealed record NoAnswer(string Message) : SubmitResult;
}

/// <summary>The answer to a cancellation.</summary>
public enum CancelResult
{
    Accepted,

    /// <summary>It has ended, or only its destruction is left.</summary>
    NothingToStop,
    NotFound,
}

/// <summary>An offer with what the job would cost on it.</summary>
public sealed record QuotedOffer(Offer Offer, CostEstimate Estimate);

/// <summary>Offers for a request, cheapest in total first, or why there are none.</summary>
/// <param name="Problem">Message for people when the search failed; null when it worked.</param>
/// <param name="AsOf">When the provider answered.</param>
public sealed record OfferQuotes(IReadOnlyList<QuotedOffer> Offers, string? Problem, DateTimeOffset AsOf)
{
    /// <summary>Whether the problem is that no answer came at all.</summary>
    public bool Unanswered { get; init; }
}
