using Dashboard.Domain.Costs;
using Dashboard.Domain.Instances;
using Dashboard.Domain.Jobs;
using Dashboard.Domain.Marketplaces;

namespace Dashboard.Domain.Tests.Instances;

public sealed class InstanceTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private static readonly HourlyRate Gpu = new(400_000);
    private static readonly HourlyRate Disk = new(6_000);

    [Fact]
    public void An_illegal_move_is_refused_out_loud()
    {
        var instance = NewInstance();
        Assert.Throws<InvalidOperationException>(() => instance.MoveTo(InstanceStatus.Running, Noon));
        Assert.Equal(InstanceStatus.Intent, instance.Status);
    }

    [Fact]
    public void Every_row_that_is_not_final_names_its_next_step()
    {
        var instance = NewInstance();
        instance.MoveTo(InstanceStatus.Sent, Noon);
        Assert.Equal(Noon, instance.NextStepAt);
        instance.MoveTo(InstanceStatus.Destroying, Noon.AddSeconds(5));
        Assert.Equal(Noon.AddSeconds(5), instance.NextStepAt);
        instance.MoveTo(InstanceStatus.Gone, Noon.AddSeconds(20));
        Assert.Null(instance.NextStepAt);
        Assert.Equal(Noon.AddSeconds(20), instance.GoneAt);
    }

    [Fact]
    public void A_written_intent_burns_nothing_and_an_unclear_answer_at_least_its_disk()
    {
        var instance = NewInstance();
        Assert.Equal(HourlyRate.Zero, instance.BurnRate);
        instance.MoveTo(InstanceStatus.Sent, Noon);
        instance.MoveTo(InstanceStatus.Unknown, Noon);
        Assert.Equal(Disk, instance.BurnRate);
    }

    [Fact]
    public void A_loading_machine_burns_its_disk_and_a_running_one_everything()
    {
        var instance = NewInstance();
        instance.MoveTo(InstanceStatus.Sent, Noon);
        instance.MoveTo(InstanceStatus.Booting, Noon);
        Assert.Equal(Disk, instance.BurnRate);
        instance.RunningSince = Noon;
        Assert.Equal(Gpu + Disk, instance.BurnRate);
    }

    [Fact]
    public void An_accepted_destroy_burns_on_until_a_listing_came_without_the_machine()
    {
        var instance = NewInstance();
        instance.MoveTo(InstanceStatus.Sent, Noon);
        instance.MoveTo(InstanceStatus.Booting, Noon);
        instance.RunningSince = Noon;
        instance.MoveTo(InstanceStatus.Destroying, Noon);
        instance.DestroyAcceptedAt = Noon;
        Assert.Equal(Gpu + Disk, instance.BurnRate);
        instance.AbsentSince = Noon.AddSeconds(2);
        Assert.Equal(HourlyRate.Zero, instance.BurnRate);
    }

    private static Instance NewInstance() => new()
    {
        Id = new InstanceId(Guid.NewGuid()),
        TeamId = new TeamId(Guid.NewGuid()),
        JobId = new JobId(Guid.NewGuid()),
        AttemptId = new AttemptId(Guid.NewGuid()),
        AttemptNumber = 1,
        ConnectionId = new ConnectionId(Guid.NewGuid()),
        Label = "gd1",
        OfferId = "1",
        MachineId = "1",
        GpuName = "RTX 4090",
        GpuCount = 1,
        VramMb = 24_564,
        Rental = RentalType.OnDemand,
        DiskGb = 10,
        SshPublicKey = "ssh-ed25519 AAAA",
        QuotedGpuRate = Gpu,
        QuotedDiskRate = Disk,
        CeilingRate = Gpu + Disk,
        GpuRate = Gpu,
        DiskRate = Disk,
        DownloadPerGb = Money.Zero,
        UploadPerGb = Money.Zero,
        BootLimit = TimeSpan.FromMinutes(10),
        CreatedAt = Noon,
    };
}
