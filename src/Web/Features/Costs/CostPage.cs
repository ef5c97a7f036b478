using System.Globalization;
using Dashboard.Domain.Costs;
using Dashboard.Web.Components;
using Microsoft.AspNetCore.Components;

namespace Dashboard.Web.Features.Costs;

/// <summary>A page whose whole view is in its address: period, filters and whatever the page adds to them.</summary>
public abstract class CostPage<T> : LiveView<T>
    where T : class
{
    [Inject] private TimeProvider Time { get; set; } = null!;

    [SupplyParameterFromQuery(Name = "month")] public string? Month { get; set; }

    [SupplyParameterFromQuery(Name = "from")] public string? From { get; set; }

    [SupplyParameterFromQuery(Name = "to")] public string? To { get; set; }

    [SupplyParameterFromQuery(Name = "project")] public string? Project { get; set; }

    [SupplyParameterFromQuery(Name = "person")] public string? Person { get; set; }

    [SupplyParameterFromQuery(Name = "job")] public string? Job { get; set; }

    [SupplyParameterFromQuery(Name = "gpu")] public string? Gpu { get; set; }

    [SupplyParameterFromQuery(Name = "provider")] public string? Provider { get; set; }

    [SupplyParameterFromQuery(Name = "kind")] public string? Kind { get; set; }

    [SupplyParameterFromQuery(Name = "tag")] public string? Tag { get; set; }

    [CascadingParameter] public ReaderZone Zone { get; set; } = ReaderZone.Utc;

    protected DateTimeOffset Now => Time.GetUtcNow();

    protected DateOnly Today => Zone.Day(Now);

    /// <summary>The period that the address names; null: none, or one that cannot be.</summary>
    protected CostPeriod? Named => CostPeriod.Read(Month, From, To, Zone);

    /// <summary>Whether the address named a period that cannot be.</summary>
    protected bool PeriodDropped => Named is null && (Month ?? From ?? To) is not null;

    protected CostScope Scope => CostScope.Read(name => name switch
    {
        "project" => Project,
        "person" => Person,
        "job" => Job,
        "gpu" => Gpu,
        "provider" => Provider,
        "kind" => Kind,
        "tag" => Tag,
        _ => null,
    });

    /// <summary>This page's path after the team's.</summary>
    protected abstract string Path { get; }

    /// <summary>What this page adds to period and filters, as it stands in an address; defaults are null.</summary>
    protected abstract IEnumerable<(string Name, string? Value)> Own { get; }

    /// <summary>The address of this view with some of its parameters changed; null takes one away.</summary>
    protected string Here(params (string Name, string? Value)[] changes) => Address(Path, Own, changes);

    /// <summary>Another page of the same period and filters.</summary>
    protected string Beside(string path, params (string Name, string? Value)[] changes) => Address(path, [], changes);

    /// <summary>The address of the same view in another period; null: the page's default.</summary>
    protected string In(CostPeriod? period) => Here(
        ("month", period is { IsMonth: true } ? period.From.ToString("yyyy-MM", CultureInfo.InvariantCulture) : null),
        ("from", period is { IsMonth: false } ? Day(period.From) : null),
        ("to", period is { IsMonth: false } ? Day(period.To) : null));

    protected static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private string Address(string path, IEnumerable<(string Name, string? Value)> own, (string Name, string? Value)[] changes)
    {
        var period = Named;
        IEnumerable<(string Name, string? Value)> all =
        [
            ("month", period is { IsMonth: true } && Month is not null ? Month : null), ("from", period is not null && Month is null ? From : null), ("to", period is not null && Month is null ? To : null),
            .. Enum.GetValues<CostSplit>().Select(part => (part.ToString().ToLowerInvariant(), Scope.Parameter(part))),
            .. own,
        ];
        return Addresses.With($"/t/{Team.Slug}{path}", [.. all.Where(p => changes.All(c => c.Name != p.Name)), .. changes]);
    }
}
