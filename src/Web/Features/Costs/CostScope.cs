using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Marketplaces;
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
}

/// <summary>Which entries count: each part that is given must hold. The same for the pages, the export and the API.</summary>
public sealed record CostScope(ProjectId? Project = null, UserId? Person = null, int? Job = null, string? Gpu = null, Provider? Provider = null, ChargeKind? Kind = null)
{
    public static CostScope All { get; } = new();

    /// <summary>What an address asks for; a value that cannot be read counts as not given.</summary>
    public static CostScope Read(Func<string, string?> parameter) => new(
        Guid.TryParse(parameter("project"), out var project) ? new ProjectId(project) : null,
        Guid.TryParse(parameter("person"), out var person) ? new UserId(person) : null,
        int.TryParse(parameter("job"), CultureInfo.InvariantCulture, out var job) ? job : null,
        parameter("gpu") is { Length: > 0 } gpu ? gpu : null,
        Enum.TryParse<Provider>(parameter("provider"), ignoreCase: true, out var provider) && Enum.IsDefined(provider) ? provider : null,
        Enum.TryParse<ChargeKind>(parameter("kind"), ignoreCase: true, out var kind) && Enum.IsDefined(kind) ? kind : null);

    /// <summary>As it stands in an address; null is left out.</summary>
    public string? Parameter(CostSplit part) => part switch
    {
        CostSplit.Project => Project?.Value.ToString("N"),
        CostSplit.Person => Person?.Value.ToString("N"),
        CostSplit.Job => Job?.ToString(CultureInfo.InvariantCulture),
        CostSplit.Gpu => Gpu,
        CostSplit.Provider => Provider?.ToString().ToLowerInvariant(),
        CostSplit.Kind => Kind?.ToString().ToLowerInvariant(),
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

        return Kind is { } kind ? entries.Where(e => e.Kind == kind) : entries;
    }
}
