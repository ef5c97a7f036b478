using System.Buffers.Binary;
using Dashboard.Domain.Logs;

namespace Dashboard.Infrastructure.Logs;

/// <summary>Where one line of the console lies.</summary>
/// <param name="Source">Which file: the attempt's raw log or our own.</param>
/// <param name="Offset">Of its first byte in that file.</param>
/// <param name="Length">In bytes, without its line end.</param>
/// <param name="Ended">False where the program stopped before writing a line end.</param>
/// <param name="ArrivedMs">Unix milliseconds.</param>
internal readonly record struct LogRecord(LogSource Source, int Attempt, long Offset, long Length, bool Ended, long ArrivedMs)
{
    /// <summary>Bytes a record takes in the index file. Fixed, so that a line number is a position.</summary>
    public const int Size = 32;

    /// <summary>Where the next line of the same file begins.</summary>
    public long Next => Offset + Length + (Ended ? 1 : 0);

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, Offset);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], Length);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], ArrivedMs);
        BinaryPrimitives.WriteInt16LittleEndian(to[24..], checked((short)Attempt));
        to[26] = (byte)Source;
        to[27] = Ended ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32LittleEndian(to[28..], Checksum(to));
    }

    /// <summary>Null where the bytes were never a whole record.</summary>
    public static LogRecord? Read(ReadOnlySpan<byte> from) =>
        BinaryPrimitives.ReadUInt32LittleEndian(from[28..]) != Checksum(from)
            ? null
            : new LogRecord(
                (LogSource)from[26], BinaryPrimitives.ReadInt16LittleEndian(from[24..]), BinaryPrimitives.ReadInt64LittleEndian(from),
                BinaryPrimitives.ReadInt64LittleEndian(from[8..]), from[27] == 1, BinaryPrimitives.ReadInt64LittleEndian(from[16..]));

    /// <summary>FNV-1a, started off zero: a page of zeroes left by a power cut is no record.</summary>
    private static uint Checksum(ReadOnlySpan<byte> record)
    {
        var hash = 2166136261u;
        foreach (var value in record[..28])
        {
            hash = unchecked((hash ^ value) * 16777619u);
        }

        return hash;
    }
}
