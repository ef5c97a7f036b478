using Dashboard.Domain.Jobs;
using Dashboard.Domain.Teams;
using Dashboard.Web.Features.Jobs;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests.Jobs;

public sealed class JobQueriesTests : IDisposable
{
    private readonly SeededTeam _team = new();
    private readonly JobQueries _jobs;

    public JobQueriesTests() => _jobs = new JobQueries(_team.Database, new FakeTimeProvider(SeededTeam.Start));

    [Fact]
    public async Task A_number_of_another_team_and_one_that_never_was_answer_alike()
    {
        await _team.AddJobAsync(7);
        Assert.Null(await _jobs.FindAsync(SeededTeam.Stranger(), 7, Ct));
        Assert.Null(await _jobs.FindAsync(_team.As(Role.Member), 8, Ct));
        Assert.Equal("support-bot-v7", (await _jobs.FindAsync(_team.As(Role.Member), 7, Ct))?.Name);
    }

    [Fact]
    public async Task Files_and_events_of_another_teams_job_are_not_there()
    {
        var job = await _team.AddJobAsync(7, (db, j) =>
        {
            db.Artifacts.Add(File(j, "checkpoint-300/state.bin"));
            db.JobEvents.Add(new JobEvent { TeamId = j.TeamId, JobId = j.Id, At = SeededTeam.Start, Kind = "submitted", Text = "Submitted.", PersonId = _team.User });
        });
        Assert.Empty(await _jobs.FilesAsync(SeededTeam.Stranger(), job.Id, Ct));
        Assert.Empty(await _jobs.EventsAsync(SeededTeam.Stranger(), job.Id, 10, Ct));
        Assert.Equal("Mira Okafor", Assert.Single(await _jobs.EventsAsync(_team.As(Role.Viewer), job.Id, 10, Ct)).Person);
    }

    [Fact]
    public async Task A_viewer_sees_the_job_and_no_money()
    {
        await _team.AddJobAsync(7);
        Assert.Null((await _jobs.FindAsync(_team.As(Role.Viewer), 7, Ct))!.Meter);
        Assert.NotNull((await _jobs.FindAsync(_team.As(Role.Member), 7, Ct))!.Meter);
    }

    [Fact]
    public async Task The_newest_checkpoint_at_home_is_the_one_of_the_highest_step()
    {
        await _team.AddJobAsync(7, (db, j) => db.Artifacts.AddRange(File(j, "checkpoint-900/state.bin"), File(j, "checkpoint-1200/state.bin"), File(j, "adapter/adapter_model.safetensors")));
        Assert.Equal(1_200, (await _jobs.FindAsync(_team.As(Role.Member), 7, Ct))!.CheckpointAtHome);
    }

    [Fact]
    public async Task The_adapter_leads_the_files()
    {
        var job = await _team.AddJobAsync(7, (db, j) => db.Artifacts.AddRange(File(j, "a.txt"), File(j, "adapter/adapter_model.safetensors")));
        Assert.Equal(["adapter/adapter_model.safetensors", "a.txt"], (await _jobs.FilesAsync(_team.As(Role.Member), job.Id, Ct)).Select(f => f.Path));
    }

    public void Dispose() => _team.Dispose();

    private static CancellationToken Ct => Xunit.TestContext.Current.CancellationToken;

    private static Artifact File(Job job, string path) => new() { TeamId = job.TeamId, JobId = job.Id, AttemptNumber = 1, Path = path, Kind = CheckpointPath.StepOf(path) is null ? ArtifactKind.Result : ArtifactKind.Checkpoint, Step = CheckpointPath.StepOf(path), Bytes = 1, Sha256 = new string('0', 64), Verified = true, ArrivedAt = SeededTeam.Start };
}
