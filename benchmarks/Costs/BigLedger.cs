using System.Globalization;
using Dashboard.Domain;
using Dashboard.Domain.Costs;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Persistence;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Dashboard.Benchmarks.Costs;

/// <summary>A year of a busy team: jobs of some hours, metered by the minute, as the meter posts them.</summary>
internal sealed class BigLedger(string file, int entries)
{
    private const int MinutesPerJob = 120;
    private static readonly (string Name, decimal Usd)[] Gpus = [("RTX 3090", .22m), ("RTX 4090", .41m), ("RTX 5090", .7m), ("L40S", .8m), ("RTX A6000", .5m), ("A100 SXM4", 1.4m), ("H100 SXM", 2.4m), ("H200", 3.1m)];
    private static readonly string[][] TagSets = [[], ["nightly"], ["eval"], ["nightly", "eval"], ["customer-a"], ["customer-b"], ["customer-a", "urgent"], ["urgent"], ["sweep"], ["sweep", "nightly"]];

#pragma warning disable CA5394 // the same ledger every time, no secret
    private readonly Random _dice = new(7);
#pragma warning restore CA5394

    public static DateTimeOffset Now { get; } = new(2026, 11, 23, 18, 4, 12, TimeSpan.Zero);

    public Team Team { get; } = new() { Id = new TeamId(Guid.NewGuid()), Name = "Halden Lab", Slug = "halden", CreatedAt = Now.AddYears(-1) };

    public Guid Person { get; } = Guid.NewGuid();

    public async Task MakeAsync(AppDatabase database)
    {
        var account = new Connection
        {
            Id = new ConnectionId(Guid.NewGuid()), TeamId = Team.Id, Market = new Market(Provider.VastAi, "https://vast.example", false), Name = "Vast.ai", ProtectedKey = "x", KeyEnding = "41ab", AccountId = "7",
            AccountName = "halden", Status = ConnectionStatus.Works, CreatedAt = Now.AddYears(-1),
        };
        var projects = Enumerable.Range(0, 8).Select(i => new Project { Id = new ProjectId(Guid.NewGuid()), TeamId = Team.Id, Name = $"project-{i}", CreatedAt = Now.AddYears(-1).AddMinutes(i) }).ToList();
        var people = Enumerable.Range(0, 12).Select(i => new DashboardUser { Id = i == 0 ? Person : Guid.NewGuid(), UserName = $"person{i}", DisplayName = $"Person {i}" }).ToList();
        var jobs = new List<Job>();
        var jobCount = entries / (2 * MinutesPerJob);
        for (var n = 0; n < jobCount; n++)
        {
            var created = Now.AddDays(-364 + (363.0 * n / jobCount));
            var job = new Job
            {
                Id = new JobId(Guid.NewGuid()), TeamId = Team.Id, Number = n + 1, ProjectId = projects[Roll(projects.Count)].Id, CreatedBy = new UserId(people[Roll(people.Count)].Id), Name = $"job-{n}", Tags = TagSets[Roll(TagSets.Length)],
                Spec = new TrainingSpec { Preset = Presets.Smoke, Model = new ModelSpec("smoke") }, ConnectionId = account.Id, Needs = new MachineNeeds([]), Limits = new JobLimits(null, null, null), Estimate = null, CreatedAt = created,
            };
            foreach (var status in (JobStatus[])[JobStatus.Provisioning, JobStatus.Starting, JobStatus.Running, JobStatus.Terminating, Roll(10) == 0 ? JobStatus.Failed : JobStatus.Succeeded])
            {
                job.MoveTo(status, created.AddMinutes(MinutesPerJob));
            }

            jobs.Add(job);
        }

        await using (var db = await database.ForSystemAsync(default))
        {
            await db.Database.MigrateAsync();
            await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode=WAL");
            db.ChangeTracker.AutoDetectChangesEnabled = false;
            db.Add(Team);
            db.Add(account);
            db.AddRange(projects);
            db.AddRange(people);
            db.AddRange(jobs);
            db.AddRange(jobs.Where(j => j.Status == JobStatus.Succeeded).Select(j => new Artifact { TeamId = Team.Id, JobId = j.Id, AttemptNumber = 1, Path = "adapter/adapter_model.safetensors", Bytes = 84_000_000, Sha256 = new string('a', 64), Verified = true, ArrivedAt = j.CreatedAt }));
            await db.SaveChangesAsync();
        }

        await InsertAsync(jobs, account);
    }

    // As the meter's rows, without its thousand-fold round trips.
    private async Task InsertAsync(List<Job> jobs, Connection account)
    {
        await using var connection = new SqliteConnection($"Data Source={file}");
        await connection.OpenAsync();
        await using (var pragma = connection.CreateCommand())
        {
            pragma.CommandText = "PRAGMA synchronous=OFF";
            await pragma.ExecuteNonQueryAsync();
        }

        await using var transaction = await connection.BeginTransactionAsync();
        await using var insert = connection.CreateCommand();
        insert.CommandText = """
            INSERT INTO Ledger (TeamId, Market_Provider, Market_BaseUrl, Market_Simulated, ConnectionId, InstanceId, JobId, AttemptId, ProjectId, PersonId, Tags, GpuName, Kind, PeriodStart, PeriodEnd, Rate_MicrosPerHour, Quantity, Amount_Micros, Estimated, PostedAt)
            VALUES ($team, 'VastAi', 'https://vast.example', 0, $connection, $instance, $job, $attempt, $project, $person, $tags, $gpu, $kind, $start, $end, $rate, '60.0', $micros, 0, $end)
            """;
        var names = (string[])["$team", "$connection", "$instance", "$job", "$attempt", "$project", "$person", "$tags", "$gpu", "$kind", "$start", "$end", "$rate", "$micros"];
        var p = names.ToDictionary(n => n, n => insert.Parameters.Add(n, n is "$start" or "$end" or "$rate" or "$micros" ? SqliteType.Integer : SqliteType.Text));
        (p["$team"].Value, p["$connection"].Value) = (Text(Team.Id.Value), Text(account.Id.Value));
        insert.Prepare();
        foreach (var job in jobs)
        {
            var (gpu, usd) = Gpus[Roll(Gpus.Length)];
            (p["$instance"].Value, p["$job"].Value, p["$attempt"].Value) = (Text(Guid.NewGuid()), Text(job.Id.Value), Text(Guid.NewGuid()));
            (p["$project"].Value, p["$person"].Value, p["$tags"].Value, p["$gpu"].Value) = (Text(job.ProjectId.Value), Text(job.CreatedBy.Value), System.Text.Json.JsonSerializer.Serialize(job.Tags), gpu);
            foreach (var (kind, rate) in new[] { ("Gpu", HourlyRate.FromUsd(usd)), ("Disk", HourlyRate.FromUsd(.012m)) })
            {
                (p["$kind"].Value, p["$rate"].Value) = (kind, rate.MicrosPerHour);
                for (var minute = 0; minute < MinutesPerJob; minute++)
                {
                    (p["$start"].Value, p["$end"].Value, p["$micros"].Value) = (job.CreatedAt.AddMinutes(minute).ToUnixTimeMilliseconds(), job.CreatedAt.AddMinutes(minute + 1).ToUnixTimeMilliseconds(), rate.For(TimeSpan.FromMinutes(1)).Micros);
                    await insert.ExecuteNonQueryAsync();
                }
            }
        }

        await transaction.CommitAsync();
    }

#pragma warning disable CA5394
    private int Roll(int below) => _dice.Next(below);
#pragma warning restore CA5394

    private static string Text(Guid id) => id.ToString().ToUpper(CultureInfo.InvariantCulture);
}
