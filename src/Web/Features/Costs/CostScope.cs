using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Infrastructure.Costs;
using Dashboard.Infrastructure.Persistence;

namespace Dashboard.Web.Features.Costs;

/// <summary>What spending is split by.</summary>
public enum CostSplit
{
    Project,
    Person,
    Job,
    Gpu,
    Provider,
    Kind,
    Tag,
}

/// <summary>Which entries count: each part that is given must hold. The same for the pages, the export and the API.</summary>
/// <param name="Tag">A tag that entries must have; or, after an equals sign, exactly the tags they have: <c>=nightly,eval</c>, and <c>=</c> alone for none.</param>
public sealed record CostScope(ProjectId? Project = null, UserId? Person = null, int? Job = null, string? Gpu = null, Provider? Provider = null, ChargeKind? Kind = null, string? Tag = null)
{
    public static CostScope All { get; } = new();

    /// <summary>What an address asks for; a value that cannot be read counts as not given.</summary>
    public static CostScope Read(Func<string, string?> parameter) => new(
        Guid.TryParse(parameter("project"), out var project) ? new ProjectId(project) : null,
        Guid.TryParse(parameter("person"), out var person) ? new UserId(person) : null,
        int.TryParse(parameter("job"), CultureInfo.InvariantCulture, out var job) ? job : null,
        parameter("gpu") is { Length: > 0 } gpu ? gpu : null,
        Enum.TryParse<Provider>(parameter("provider"), ignoreCase: true, out var provider) && Enum.IsDefined(provider) ? provider : null,
        Enum.TryParse<ChargeKind>(parameter("kind"), ignoreCase: true, out var kind) && Enum.IsDefined(kind) ? kind : null,
        parameter("tag") is { Length: > 0 } tag ? tag : null);

    /// <summary>The value of the tag filter for exactly these tags, whatever their order.</summary>
    public static string ExactTags(IEnumerable<string> tags) => "=" + string.Join(',', tags.Order(StringComparer.Ordinal));

    /// <summary>The tags that the filter names, and whether there may be no others.</summary>
    public (IReadOnlyList<string> Tags, bool Exactly) WantedTags => Tag is null ? ([], false)
        : Tag.StartsWith('=') ? (Tag[1..].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), true)
        : ([Tag], false);

    /// <summary>As it stands in an address; null is left out.</summary>
    public string? Parameter(CostSplit part) => part switch
    {
        CostSplit.Project => Project?.Value.ToString("N"),
        CostSplit.Person => Person?.Value.ToString("N"),
        CostSplit.Job => Job?.ToString(CultureInfo.InvariantCulture),
        CostSplit.Gpu => Gpu,
        CostSplit.Provider => Provider?.ToString().ToLowerInvariant(),
        CostSplit.Kind => Kind?.ToString().ToLowerInvariant(),
        CostSplit.Tag => Tag,
    };

    internal IQueryable<LedgerEntry> Of(IQueryable<LedgerEntry> entries, AppDbContext db)
    {
        if (Project is { } project)
        {
            entries = entries.Where(e => e.ProjectId == project);
        }

        if (Person is { } person)
        {
            entries = entries.Where(e => e.PersonId == person);
        }

        if (Job is { } job)
        {
            entries = entries.Where(e => db.Jobs.Any(j => j.Id == e.JobId && j.Number == job));
        }

        if (Gpu is { } gpu)
        {
            entries = entries.Where(e => e.GpuName == gpu);
        }

        if (Provider is { } provider)
        {
            entries = entries.Where(e => e.Market.Provider == provider);
        }

        if (Tag is not null)
        {
            var (tags, exactly) = WantedTags;
            entries = tags.Aggregate(exactly ? entries.Where(e => e.Tags.Count == tags.Count) : entries, (tagged, tag) => tagged.Where(e => e.Tags.Contains(tag)));
        }

        return Kind is { } kind ? entries.Where(e => e.Kind == kind) : entries;
    }

    internal IQueryable<SpendStep> Of(IQueryable<SpendStep> steps, AppDbContext db)
    {
        if (Project is { } project)
        {
            steps = steps.Where(e => e.ProjectId == project);
        }

        if (Person is { } person)
        {
            steps = steps.Where(e => e.PersonId == person);
        }

        if (Job is { } job)
        {
            steps = steps.Where(e => db.Jobs.Any(j => j.Id == e.JobId && j.Number == job));
        }

        if (Gpu is { } gpu)
        {
            steps = steps.Where(e => e.GpuName == gpu);
        }

        if (Provider is { } provider)
        {
            steps = steps.Where(e => e.Provider == provider);
        }

        if (Tag is not null)
        {
            var (tags, exactly) = WantedTags;
            steps = tags.Aggregate(exactly ? steps.Where(e => e.Tags.Count == tags.Count) : steps, (tagged, tag) => tagged.Where(e => e.Tags.Contains(tag)));
        }

        return Kind is { } kind ? steps.Where(e => e.Kind == kind) : steps;
    }
}
