using Dashboard.Domain.Budgets;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Web.Components;

namespace Dashboard.Web.Features.Costs;

/// <summary>How the same money is drawn.</summary>
public enum CostMeasure
{
    Day,
    Total,
    Rate,
}

/// <param name="Then">Each row is split once more; null: it is not.</param>
/// <param name="Today">The reader's day.</param>
public sealed record CostsQuestion(CostPeriod Period, CostScope Scope, CostSplit By, CostSplit? Then, DateOnly Today);

/// <summary>A part of a row, by the second split.</summary>
public sealed record CostPart(string Name, Money Spent, int Jobs);

/// <param name="Key">The value of the split's filter that shows this row alone; null for the last row that holds what did not fit.</param>
/// <param name="Color">Series token; the seventh and later share the last.</param>
/// <param name="Before">Spent in the days it is compared with.</param>
/// <param name="RateNow">What bills this second; null: not known by this split, or the period does not reach today.</param>
/// <param name="Bars">One amount for each bar of the period.</param>
public sealed record CostRow(string? Key, string Name, int? JobNumber, string Color, Money Spent, Money Before, int Jobs, HourlyRate? RateNow, IReadOnlyList<Money> Bars, IReadOnlyList<CostPart> Parts);

/// <summary>Sums of a period. <see cref="Gpu"/>, <see cref="Disk"/>, <see cref="Traffic"/> and <see cref="Adjustments"/> add up to <see cref="Spent"/>.</summary>
/// <param name="Estimated">The part whose interval was inferred at one end, not observed at both.</param>
/// <param name="NothingHome">Spent on jobs that have ended and brought no file home.</param>
/// <param name="FinishedJobs">Jobs with spend in the period that succeeded.</param>
/// <param name="OnFinished">What those cost in the period.</param>
public sealed record CostTotals(Money Spent, Money Gpu, Money Disk, Money Traffic, Money Adjustments, Money Estimated, Money NothingHome, int Jobs, int FinishedJobs, Money OnFinished)
{
    public Money? PerFinished => FinishedJobs == 0 ? null : new Money(OnFinished.Micros / FinishedJobs);
}

/// <summary>What one kind of GPU at one provider cost, its disk and traffic included.</summary>
/// <param name="Time">It ran; summed over machines.</param>
public sealed record GpuCost(string Gpu, Provider Provider, TimeSpan Time, Money Spent);

/// <summary>The names of what the scope picks, for people. Null: not picked, or nothing by that id.</summary>
public sealed record ScopeNames(string? Project, string? Person, string? Job);

/// <summary>A period of the ledger. The rows add up to the total, and so do the kinds and the bars.</summary>
/// <param name="Simulated">The team has no real connection; none of this is money.</param>
/// <param name="Before">The days compared with.</param>
/// <param name="Forecast">Null: the period is over, or spending too young.</param>
/// <param name="FirstEntry">When the ledger begins; null: it is empty.</param>
public sealed record CostsView(
    CostTotals Total, CostTotals Before, CostPeriod Compared, bool Simulated, IReadOnlyList<CostRow> Rows, IReadOnlyList<GpuCost> Gpus,
    SpendForecast? Forecast, ScopeNames Names, DateTimeOffset? FirstEntry);
