using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Logs;
using Dashboard.Infrastructure.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Web.Features.Jobs;

/// <summary>Which jobs a list shows.</summary>
public enum JobsShown
{
    Active,
    Ended,
    All,
}

/// <summary>In which order.</summary>
public enum JobsSort
{
    Newest,
    Oldest,
    Name,
    Cost,
}

/// <summary>Which jobs a list shows. What is null does not filter.</summary>
/// <param name="Text">Part of a name, number, model, tag, machine id or contract id.</param>
/// <param name="Page">From 1.</param>
/// <param name="By">Who started it.</param>
/// <param name="Project">By name, like <paramref name="Tag"/>, <paramref name="Gpu"/> and <paramref name="Provider"/> (the market's).</param>
public sealed record JobsFilter(
    JobsShown Shown, string? Text = null, int Page = 1, UserId? By = null, string? Project = null, string? Tag = null, string? Gpu = null, string? Provider = null, JobsSort Sort = JobsSort.Newest)
{
    /// <summary>Whether anything but the status narrows the list.</summary>
    public bool Narrowed => Text is not null || By is not null || Project is not null || Tag is not null || Gpu is not null || Provider is not null;
}

/// <summary>What one may filter by: only what some job of the team has.</summary>
public sealed record JobsOptions(IReadOnlyList<(UserId Id, string Name)> People, IReadOnlyList<string> Projects, IReadOnlyList<string> Tags, IReadOnlyList<string> Gpus, IReadOnlyList<string> Providers);

/// <param name="Cost">Posted to the ledger.</param>
/// <param name="RateNow">What its machines cost an hour now; zero when none bills.</param>
/// <param name="Gpu">Of its latest machine; null before there is one.</param>
/// <param name="Files">That came home.</param>
/// <param name="Losses">Smoothed training loss over the run so far, at most 40 values; empty for a job that has ended.</param>
public sealed record JobRow(
    JobId Id, int Number, string Name, string Model, string Method, string Preset, Market Market, string Person, JobStatus Status, StopReason? StopReason,
    string? Gpu, RentalType? Rental, int? Step, int? TotalSteps, double? Loss, double? SecondsPerStep, string? Phase,
    CostEstimate? Estimate, HourlyRate? MaxRate, Money Cost, HourlyRate RateNow, int Files, IReadOnlyList<double> Losses, DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt)
{
    /// <summary>Its machine is stopped by another renter and kept.</summary>
    public bool Outbid { get; init; }

    /// <summary>A person has its machine stopped and keeps it.</summary>
    public bool Parked { get; init; }

    /// <summary>How it will end; null: it ends, rests or has ended, or nobody can say.</summary>
    public CostToComplete? Forecast { get; init; }

    /// <summary>When, as <see cref="Forecast"/> has it.</summary>
    public DateTimeOffset? EndsAbout { get; init; }

    /// <summary>What it waits, or waited, for.</summary>
    public PriceOrder? Order { get; init; }
}

/// <param name="Total">Jobs that fit the filter, on all pages.</param>
/// <param name="Sum">What those cost: real money as soon as the team has a real connection, else simulated.</param>
/// <param name="Active">Active jobs whatever the filter.</param>
public sealed record JobsView(IReadOnlyList<JobRow> Rows, int Total, Money Sum, bool SumIsSimulated, int Active, int EverSubmitted)
{
    public int Pages => Math.Max(1, (Total + JobsListQueries.PageSize - 1) / JobsListQueries.PageSize);
}

/// <summary>The rows of lists of jobs.</summary>
public sealed class JobsListQueries(AppDatabase database, MetricsStore metrics, TimeProvider time)
{
    public const int PageSize = 50;

    private const int SparklinePoints = 40;
    private const double Smoothing = 0.4; // share of the newest value

    private static readonly Market SimulatedMarket = new(Provider.VastAi, "", Simulated: true);
    private static readonly JobStatus[] Ended = [JobStatus.Succeeded, JobStatus.Failed, JobStatus.Cancelled];

    public async Task<JobsView> ListAsync(TeamContext team, JobsFilter filter, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var fitting = Fitting(db, filter);
        var total = await fitting.CountAsync(ct);
        var page = Math.Clamp(filter.Page, 1, Math.Max(1, (total + PageSize - 1) / PageSize));
        var rows = await RowsAsync(db, Sorted(db, fitting, filter.Sort).Skip((page - 1) * PageSize).Take(PageSize), ct);

        var simulated = !await db.Connections.AnyAsync(c => c.Status != ConnectionStatus.Removed && !c.Market.Simulated, ct);
        var sum = await db.Ledger.Where(e => e.Market.Simulated == simulated && fitting.Any(j => j.Id == e.JobId)).SumAsync(e => e.Amount.Micros, ct);
        return new JobsView(
            rows, total, new Money(sum), simulated && sum != 0,
            await Fitting(db, new JobsFilter(JobsShown.Active)).CountAsync(ct), await db.Jobs.CountAsync(ct));
    }

    /// <summary>These jobs as they are now, whatever they fit; those of another team are not among them.</summary>
    public async Task<IReadOnlyList<JobRow>> RowsAsync(TeamContext team, IReadOnlyCollection<JobId> ids, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        return await RowsAsync(db, db.Jobs.Where(j => ids.Contains(j.Id)), ct);
    }

    public async Task<JobsOptions> OptionsAsync(TeamContext team, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        var authors = await db.Jobs.Select(j => j.CreatedBy).Distinct().ToListAsync(ct);
        var people = authors.Select(a => a.Value).ToList();
        var names = await db.Users.Where(u => people.Contains(u.Id)).Select(u => new { u.Id, u.DisplayName }).ToListAsync(ct);
        var used = await db.Jobs.Select(j => j.ConnectionId).Distinct().ToListAsync(ct);
        var markets = await db.Connections.AsNoTracking().Where(c => used.Contains(c.Id)).Select(c => c.Market).ToListAsync(ct);
        return new JobsOptions(
            [.. names.OrderBy(n => n.DisplayName, StringComparer.CurrentCulture).Select(n => (new UserId(n.Id), n.DisplayName))],
            await db.Projects.Where(p => db.Jobs.Any(j => j.ProjectId == p.Id)).Select(p => p.Name).OrderBy(n => n).ToListAsync(ct),
            [.. (await db.Jobs.Select(j => j.Tags).ToListAsync(ct)).SelectMany(tags => tags).Distinct().Order(StringComparer.Ordinal)],
            await db.Instances.Select(i => i.GpuName).Distinct().OrderBy(n => n).ToListAsync(ct),
            [.. markets.Select(m => m.Name).Distinct().Order()]);
    }

    /// <summary>Active jobs: the reader's own first, then by age; at most <paramref name="most"/>.</summary>
    public async Task<IReadOnlyList<JobRow>> ActiveAsync(TeamContext team, int most, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        return await RowsAsync(db, Fitting(db, new JobsFilter(JobsShown.Active)).OrderByDescending(j => j.CreatedBy == team.UserId).ThenBy(j => j.Number).Take(most), ct);
    }

    /// <summary>The last <paramref name="most"/> that ended.</summary>
    public async Task<IReadOnlyList<JobRow>> EndedAsync(TeamContext team, int most, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        return await RowsAsync(db, Fitting(db, new JobsFilter(JobsShown.Ended)).OrderByDescending(j => j.EndedAt).Take(most), ct);
    }

    /// <summary>These jobs, whatever became of them, in no order.</summary>
    public async Task<IReadOnlyList<JobRow>> OfAsync(TeamContext team, IReadOnlyCollection<JobId> jobs, CancellationToken ct)
    {
        team.Require(Permission.See);
        await using var db = await database.ForTeamAsync(team, ct);
        return await RowsAsync(db, db.Jobs.Where(j => jobs.Contains(j.Id)), ct);
    }

    private static IQueryable<Job> Fitting(AppDbContext db, JobsFilter filter)
    {
        var jobs = filter.Shown switch
        {
            JobsShown.Active => db.Jobs.Where(j => !Ended.Contains(j.Status)),
            JobsShown.Ended => db.Jobs.Where(j => Ended.Contains(j.Status)),
            JobsShown.All => db.Jobs,
        };
        if (filter.By is { } person)
        {
            jobs = jobs.Where(j => j.CreatedBy == person);
        }

        if (filter.Project is { } project)
        {
            jobs = jobs.Where(j => db.Projects.Any(p => p.Id == j.ProjectId && p.Name == project));
        }

        if (filter.Tag is { } tag)
        {
            jobs = jobs.Where(j => j.Tags.Any(t => t == tag));
        }

        if (filter.Gpu is { } gpu)
        {
            jobs = jobs.Where(j => db.Instances.Any(i => i.JobId == j.Id && i.GpuName == gpu));
        }

        if (filter.Provider is { } provider)
        {
            // A market's name is made of two stored fields; see Market.Name.
            var simulated = provider == SimulatedMarket.Name;
            var providers = Enum.GetValues<Provider>().Where(p => new Market(p, "", Simulated: false).Name == provider).ToList();
            jobs = jobs.Where(j => db.Connections.Any(c => c.Id == j.ConnectionId && c.Market.Simulated == simulated && (simulated || providers.Contains(c.Market.Provider))));
        }

        return Matching(db, jobs, filter.Text);
    }

    private static IQueryable<Job> Sorted(AppDbContext db, IQueryable<Job> jobs, JobsSort sort) => sort switch
    {
        JobsSort.Newest => jobs.OrderByDescending(j => j.Number),
        JobsSort.Oldest => jobs.OrderBy(j => j.Number),
        JobsSort.Name => jobs.OrderBy(j => j.Name).ThenByDescending(j => j.Number),
        JobsSort.Cost => jobs.OrderByDescending(j => db.Ledger.Where(e => e.JobId == j.Id).Sum(e => e.Amount.Micros)).ThenByDescending(j => j.Number),
    };

    /// <summary>Those whose name, number, model, tag, machine or contract is meant by <paramref name="typed"/>; all, when it is empty.</summary>
    internal static IQueryable<Job> Matching(AppDbContext db, IQueryable<Job> jobs, string? typed)
    {
        if (typed?.Trim().TrimStart('#') is not { Length: > 0 } text)
        {
            return jobs;
        }

        var lower = text.ToLowerInvariant();
        var number = int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;
#pragma warning disable CA1304, CA1311, CA1862 // translated to SQL's lower(), which knows no culture
        return jobs.Where(j => j.Number == number
            || j.Name.ToLower().Contains(lower)
            || ((string)(object)j.Spec).ToLower().Contains(lower)
            || j.Tags.Any(tag => tag.ToLower() == lower)
            || db.Instances.Any(i => i.JobId == j.Id && (i.ContractId == text || i.MachineId == text)));
#pragma warning restore CA1304, CA1311, CA1862
    }

    /// <summary>One read for the jobs and one for each thing beside them, whatever their number.</summary>
    private async Task<IReadOnlyList<JobRow>> RowsAsync(AppDbContext db, IQueryable<Job> page, CancellationToken ct)
    {
        var jobs = await page.AsNoTracking().ToListAsync(ct);
        if (jobs.Count == 0)
        {
            return [];
        }

        var ids = jobs.Select(j => j.Id).ToList();
        var people = jobs.Select(j => j.CreatedBy.Value).Distinct().ToList();
        var names = await db.Users.Where(u => people.Contains(u.Id)).Select(u => new { u.Id, u.DisplayName }).ToDictionaryAsync(u => u.Id, u => u.DisplayName, ct);
        var markets = await db.Connections.AsNoTracking().Select(c => new { c.Id, c.Market }).ToDictionaryAsync(c => c.Id, c => c.Market, ct);
        var costs = await db.Ledger.Where(e => ids.Contains(e.JobId)).GroupBy(e => e.JobId)
            .Select(g => new { g.Key, Micros = g.Sum(e => e.Amount.Micros) }).ToDictionaryAsync(g => g.Key, g => new Money(g.Micros), ct);
        var files = await db.Artifacts.Where(a => ids.Contains(a.JobId)).GroupBy(a => a.JobId).Select(g => new { g.Key, Count = g.Count() }).ToDictionaryAsync(g => g.Key, g => g.Count, ct);
        var attempts = (await db.Attempts.AsNoTracking().Where(a => ids.Contains(a.JobId) && !db.Attempts.Any(later => later.JobId == a.JobId && later.Number > a.Number)).ToListAsync(ct)).ToDictionary(a => a.JobId);
        var instances = (await db.Instances.AsNoTracking().Where(i => ids.Contains(i.JobId)).ToListAsync(ct)).ToLookup(i => i.JobId);

        // Of active jobs alone: an ended run's line is on its own page, and fifty files a second are too many to read.
        var losses = new Dictionary<JobId, IReadOnlyList<double>>();
        foreach (var job in jobs.Where(j => !JobRules.IsFinal(j.Status) && attempts.GetValueOrDefault(j.Id)?.Step is not null))
        {
            losses[job.Id] = Smooth((await metrics.LossSeriesAsync(job.Id, SparklinePoints, ct)).Train);
        }

        var now = time.GetUtcNow();
        return [.. jobs.Select(j =>
        {
            var run = attempts.GetValueOrDefault(j.Id);
            var machine = instances[j.Id].MaxBy(i => i.AttemptNumber);
            var spent = instances[j.Id].Aggregate(costs.GetValueOrDefault(j.Id), (sum, i) => sum + i.Unposted(now));
            var forecast = CostToComplete.Of(RunSoFar.Of(j, run, spent, machine is null ? HourlyRate.Zero : machine.GpuRate + machine.DiskRate), now);
            return new JobRow(
                j.Id, j.Number, j.Name, j.Spec.Model.Id, j.Spec.Method.Kind, j.Spec.Preset, markets[j.ConnectionId], names.GetValueOrDefault(j.CreatedBy.Value, ""), j.Status, j.StopReason,
                machine?.GpuName, machine?.Rental, run?.Step, run?.TotalSteps, run?.Loss, run?.SecondsPerStep, run?.Phase,
                j.Estimate, j.Limits.MaxRate, costs.GetValueOrDefault(j.Id), instances[j.Id].Aggregate(HourlyRate.Zero, (sum, i) => sum + i.BurnRate),
                files.GetValueOrDefault(j.Id), losses.GetValueOrDefault(j.Id, []), j.CreatedAt, j.StartedAt, j.EndedAt) { Outbid = j.InterruptedAt is not null, Parked = j.ParkUntil is not null, Forecast = forecast, EndsAbout = forecast is null ? null : now + forecast.Left, Order = j.Order };
        })];
    }

    private static List<double> Smooth(IReadOnlyList<LossPoint> line)
    {
        var smoothed = new List<double>(line.Count);
        foreach (var point in line)
        {
            smoothed.Add(smoothed.Count == 0 ? point.Loss : smoothed[^1] + Smoothing * (point.Loss - smoothed[^1]));
        }

        return smoothed;
    }
}
