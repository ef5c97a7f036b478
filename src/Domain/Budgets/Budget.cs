using Dashboard.Domain.Costs;

namespace Dashboard.Domain.Budgets;

/// <summary>Whose spending a budget limits.</summary>
public enum BudgetScope
{
    Team,
    Project,

    /// <summary>Whoever started the jobs.</summary>
    Person,

    Tag,

    /// <summary>One job: its own limit in dollars.</summary>
    Job,
}

/// <summary>How long a budget's limit is for. Months and weeks end at midnight UTC, weeks on Sunday.</summary>
public enum BudgetPeriod
{
    Month,
    Week,

    /// <summary>From the first day on, for ever.</summary>
    Total,
}

/// <summary>What happens when a budget's limit is reached.</summary>
public enum AtLimit
{
    /// <summary>People are told; nothing stops.</summary>
    Tell,

    /// <summary>Nothing new is rented; what runs goes on.</summary>
    StartNothingNew,

    /// <summary>Jobs save, come home and are paused before the limit is passed.</summary>
    SaveAndStop,
}

/// <summary>
/// A limit on spending. <see cref="Accrued"/> and <see cref="Held"/> are kept by guarded statements alone, in the transactions
/// that post charges and take holds; the ledger is the truth behind the first, the holds behind the second.
/// </summary>
public sealed class Budget
{
    public required BudgetId Id { get; init; }

    public required TeamId TeamId { get; init; }

    public required BudgetScope Scope { get; init; }

    /// <summary>The project's, person's or job's id, or the tag; empty for the team.</summary>
    public required string Subject { get; init; }

    /// <summary>Whether it counts play money. Simulated spending never counts against a real limit.</summary>
    public required bool Simulated { get; init; }

    public required BudgetPeriod Period { get; init; }

    public required Money Limit { get; set; }

    public required AtLimit AtLimit { get; set; }

    /// <summary>Shares of the limit, in percent, at which people are told.</summary>
    public IReadOnlyList<int> TellAt { get; set; } = [];

    /// <summary>The highest of them that was told of in the period; zero: none.</summary>
    public int ToldPercent { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Null: the dashboard itself, for a job's own limit.</summary>
    public UserId? CreatedBy { get; init; }

    /// <summary>When a person ended it. It stays for the record and limits nothing.</summary>
    public DateTimeOffset? EndedAt { get; set; }

    /// <summary>Start of the period that <see cref="Accrued"/> is for.</summary>
    public required DateTimeOffset PeriodStart { get; set; }

    /// <summary>Charges posted for the period.</summary>
    public Money Accrued { get; set; }

    /// <summary>Set aside for machines that may bill and for jobs that were promised to fit.</summary>
    public Money Held { get; set; }

    /// <summary>What may still be promised or held. Negative once the limit is passed.</summary>
    public Money Free => Limit - Accrued - Held;
}

/// <summary>A part of a budget that is set aside: for one machine, or for what an accepted job may still need.</summary>
public sealed class BudgetHold
{
    public long Id { get; init; }

    public required BudgetId BudgetId { get; init; }

    public required TeamId TeamId { get; init; }

    public required JobId JobId { get; init; }

    /// <summary>The machine it is held for, from its intent until it is proven gone; null: the job's promise, from which its machines' holds are drawn.</summary>
    public InstanceId? InstanceId { get; init; }

    public Money Amount { get; set; }
}
