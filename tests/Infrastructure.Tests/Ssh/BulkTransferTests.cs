using System.Security.Cryptography;
using CsCheck;
using Dashboard.Infrastructure.Ssh;
using Dashboard.Tests.Shared;

namespace Dashboard.Infrastructure.Tests.Ssh;

public sealed class BulkTransferTests : OnAMachine
{
    private const int Big = 48 * 1024 * 1024;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3_000_000)]
    public async Task A_file_arrives_on_the_machine_as_it_was(int bytes)
    {
        var local = await FileAsync("up", bytes);
        await using var session = await OpenAsync();
        await Transfer.UploadAsync(session, local, OnDisk("new folder/it's"), Ct);
        Assert.Equal(await File.ReadAllBytesAsync(local, Ct), await File.ReadAllBytesAsync(OnDisk("new folder/it's"), Ct));
        Assert.False(File.Exists(OnDisk("new folder/it's.part")));
    }

    [Fact]
    public async Task An_upload_cut_in_the_middle_goes_on_where_it_stopped()
    {
        var local = await FileAsync("up", Big);
        await using (var session = await OpenAsync())
        {
            var sending = Transfer.UploadAsync(session, local, OnDisk("up"), Ct);
            await Eventually.HoldsAsync(() => Length(OnDisk("up.part")) > 1_000_000, "some of it is there", ct: Ct);
            Machine.CutConnections();
            await Assert.ThrowsAsync<SshLost>(() => sending);
        }

        var arrived = Length(OnDisk("up.part"));
        Assert.InRange(arrived, 1_000_000, Big - 1);
        var before = (await File.ReadAllBytesAsync(local, Ct))[..1000];
        await using var again = await OpenAsync();
        await Transfer.UploadAsync(again, local, OnDisk("up"), Ct);
        Assert.Equal(Hash(local), Hash(OnDisk("up")));
        Assert.Equal(before, (await File.ReadAllBytesAsync(OnDisk("up"), Ct))[..1000]);
    }

    [Fact]
    public async Task An_upload_over_a_damaged_part_starts_afresh()
    {
        var local = await FileAsync("up", 100_000);
        await File.WriteAllBytesAsync(OnDisk("up.part"), new byte[5000], Ct);
        await using var session = await OpenAsync();
        await Transfer.UploadAsync(session, local, OnDisk("up"), Ct);
        Assert.Equal(Hash(local), Hash(OnDisk("up")));
    }

    [Fact]
    public async Task A_file_that_is_there_already_is_not_sent_again()
    {
        var local = await FileAsync("up", 100_000);
        await using var session = await OpenAsync();
        await Transfer.UploadAsync(session, local, OnDisk("up"), Ct);
        var first = File.GetLastWriteTimeUtc(OnDisk("up"));
        await Transfer.UploadAsync(session, local, OnDisk("up"), Ct);
        Assert.Equal(first, File.GetLastWriteTimeUtc(OnDisk("up")));
    }

    [Fact]
    public async Task A_disk_that_is_full_says_so()
    {
        var local = await FileAsync("up", 100_000);
        await using var session = await OpenAsync();
        File.CreateSymbolicLink(OnDisk("up.part"), "/dev/full");
        Assert.True((await Assert.ThrowsAsync<TransferRefused>(() => Transfer.UploadAsync(session, local, OnDisk("up"), Ct))).DiskFull);
    }

    [Fact]
    public async Task A_download_cut_in_the_middle_goes_on_where_it_stopped_and_its_hash_is_the_machines()
    {
        var remote = await FileAsync(OnDisk("down"), Big);
        var local = Path.Combine(Home, "down");
        await using (var session = await OpenAsync())
        {
            var fetching = Transfer.DownloadAsync(session, remote, local, Big, Hash(remote), Ct);
            await Eventually.HoldsAsync(() => Length(local + ".part") > 1_000_000, "some of it is here", ct: Ct);
            Machine.CutConnections();
            await Assert.ThrowsAsync<SshLost>(() => fetching);
        }

        Assert.InRange(Length(local + ".part"), 1_000_000, Big - 1);
        Assert.False(File.Exists(local));
        await using var again = await OpenAsync();
        Assert.Equal(Hash(remote), await Transfer.DownloadAsync(again, remote, local, Big, Hash(remote), Ct));
        Assert.Equal(Hash(remote), Hash(local));
    }

    [Fact]
    public async Task A_download_with_another_hash_than_promised_is_damaged_and_not_kept()
    {
        var remote = await FileAsync(OnDisk("down"), 1000);
        var local = Path.Combine(Home, "down");
        await using var session = await OpenAsync();
        await Assert.ThrowsAsync<TransferDamaged>(() => Transfer.DownloadAsync(session, remote, local, 1000, new string('0', 64), Ct));
        Assert.Empty(Directory.GetFiles(Home));
    }

    [Fact]
    public async Task A_missing_or_shorter_file_is_refused_and_a_longer_one_is_cut_to_what_was_promised()
    {
        var remote = await FileAsync(OnDisk("down"), 1000);
        await using var session = await OpenAsync();
        await Assert.ThrowsAsync<TransferRefused>(() => Transfer.DownloadAsync(session, OnDisk("none"), Path.Combine(Home, "a"), 10, null, Ct));
        await Assert.ThrowsAsync<TransferRefused>(() => Transfer.DownloadAsync(session, remote, Path.Combine(Home, "b"), 2000, null, Ct));
        await Transfer.DownloadAsync(session, remote, Path.Combine(Home, "c"), 500, null, Ct);
        Assert.Equal(500, Length(Path.Combine(Home, "c")));
    }

    [Fact]
    public async Task A_control_file_is_replaced_whole_and_can_be_read_back()
    {
        await using var session = await OpenAsync();
        Assert.Null(await Transfer.ReadAsync(session, OnDisk("lease"), 1000, Ct));
        await Transfer.WriteAsync(session, OnDisk("lease"), "{\"seq\":1}", Ct);
        await Transfer.WriteAsync(session, OnDisk("lease"), "{\"seq\":2}", Ct);
        Assert.Equal("{\"seq\":2}"u8.ToArray(), await Transfer.ReadAsync(session, OnDisk("lease"), 1000, Ct));
        Assert.Equal(["lease"], Directory.GetFiles(Machine.Disk).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_listing_holds_plain_files_and_leaves_out_links_and_odd_names()
    {
        Directory.CreateDirectory(OnDisk("out/adapter"));
        await FileAsync(OnDisk("out/adapter/a b.safetensors"), 7);
        await FileAsync(OnDisk("out/line\nbreak"), 1);
        await FileAsync(OnDisk("out/\u001b[31mred"), 1);
        File.CreateSymbolicLink(OnDisk("out/passwd"), "/etc/passwd");
        await using var session = await OpenAsync();
        var listing = await Transfer.ListAsync(session, OnDisk("out"), Ct);
        Assert.Equal([new RemoteFile("adapter/a b.safetensors", 7)], listing.Files);
        Assert.Equal(3, listing.Refused);
        Assert.Empty((await Transfer.ListAsync(session, OnDisk("none"), Ct)).Files);
    }

    private async Task<string> FileAsync(string name, int bytes)
    {
        var path = Path.IsPathRooted(name) ? name : Path.Combine(Home, name);
        await File.WriteAllBytesAsync(path, RandomNumberGenerator.GetBytes(bytes), Ct);
        return path;
    }

    private static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    private static string Hash(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}

public sealed class RemoteNamesTests
{
    private static readonly string[] Nasty = ["..", ".", "/", "a", "\\", "\0", "é", "//", "/..", "../"];

    [Theory]
    [InlineData("adapter/adapter_model.safetensors", true)]
    [InlineData("checkpoint-100/COMPLETE", true)]
    [InlineData("modèle.txt", true)]
    [InlineData("", false)]
    [InlineData("/etc/passwd", false)]
    [InlineData("../up", false)]
    [InlineData("a/../../up", false)]
    [InlineData("a//b", false)]
    [InlineData("./a", false)]
    [InlineData("a\\..\\b", false)]
    [InlineData("C:x", false)]
    [InlineData("a\nb", false)]
    [InlineData("a\0b", false)]
    [InlineData("gnp\u202e.exe", false)]
    [InlineData("a\ufffd", false)]
    [InlineData("x.part", false)]
    public void A_name_is_safe_or_it_is_not(string name, bool safe) => Assert.Equal(safe, RemoteNames.IsSafe(name));

    [Fact]
    public void No_safe_name_leaves_its_folder() =>
        Gen.OneOf(Gen.Int[0, Nasty.Length - 1].Select(i => Nasty[i]), Gen.String).Array[0, 8].Select(parts => string.Concat(parts)).Sample(name =>
        {
            if (!RemoteNames.IsSafe(name))
            {
                return true;
            }

            var full = Path.GetFullPath(Path.Combine("/srv/files", name));
            return full.StartsWith("/srv/files/", StringComparison.Ordinal) && full == "/srv/files/" + name;
        }, iter: 20_000);
}
