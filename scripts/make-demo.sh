#!/bin/bash
# Makes assets/demo.ts, the built-in channel: 16.000 s of H.264 and AAC that loop without a seam. Kept for whoever wants to change it;
# nobody needs to run it. Everything in the picture and the sound comes round after 16 s:
#   - video: 400 frames of 25 fps in closed GOPs of 2 s with B-frames; a dial that goes round once, a ball that goes round every 2 s
#     (at the top on every keyframe), and a clock of seconds and hundredths
#   - audio: 750 AAC frames of 1,024 samples at 48 kHz are 16 s to the sample. An encoder begins with a frame of priming and each frame
#     overlaps the next, so the tone is encoded over three rounds and the frames of the middle one are taken: the last joins the first.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../assets/demo.ts}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ff() { ffmpeg -nostdin -hide_banner -loglevel error -y "$@"; }

# The sound: a soft chord. Frequencies are whole multiples of 1/16 Hz, and so is the swell.
tone='(0.10*sin(2*PI*220*t)+0.07*sin(2*PI*277.1875*t)+0.06*sin(2*PI*329.625*t))*(0.65+0.35*sin(2*PI*t/4))'
ff -f lavfi -i "aevalsrc=exprs='$tone|$tone*(0.8+0.2*sin(2*PI*t/8))':s=48000:d=48" -c:a aac -b:a 96k -ac 2 "$work/three.adts"
# frame 0 is the priming, so the second round is frames 751 to 1500
ff -i "$work/three.adts" -c copy -bsf:a "noise=drop='lt(n,751)+gt(n,1500)'" "$work/tone.adts" 2>/dev/null || {
  echo "make-demo: this ffmpeg cannot drop packets by number (5.1 can)" >&2
  exit 1
}

# The picture. testsrc draws its clock without a font; from 100 s on it has five digits, of which the last four are kept.
wave='46+16*sin(2*PI*(X/420+T/16))+14*sin(2*PI*(Y/300-T/8+X/900))+10*sin(2*PI*((X+Y)/260+T/4))'
radius='hypot(X-320,Y-180)'
turn='mod(atan2(X-320,180-Y)/(2*PI)+1,1)'
dial="clip(6.5-abs($radius-124),0,1)*(if(lt($turn,T/16),165,30))"
tick="clip(4.5-abs($radius-142),0,1)*lt(abs(mod($turn*16+0.5,1)-0.5)*$radius,6)*110"
ball="clip(9.5-hypot(X-320-158*sin(PI*T),Y-180+158*cos(PI*T)),0,1)*180"
cb='128+34*sin(2*PI*(X/640+Y/720+T/16))'
cr='128+26*sin(2*PI*(Y/480-X/800+T/16)+2)'
ff -f lavfi -i "color=black:size=640x360:rate=25:duration=16,format=yuv420p,geq=lum='clip($wave+$dial+$tick+$ball,16,235)':cb='$cb':cr='$cr'" \
  -f lavfi -i "testsrc=size=640x360:rate=25:decimals=2:duration=116,trim=start=100,setpts=PTS-STARTPTS,format=gray,split[a][b];[a]crop=128:104:320:128,scale=72:58[s];[b]crop=128:104:448:128,scale=72:58[h];[s]pad=152:58:0:0[p];[p][h]overlay=80:0,drawbox=74:50:4:8:white:fill" \
  -filter_complex "[1]format=yuva420p,geq=lum='235':cb=128:cr=128:a='clip(1.2*(lum(X,Y)-20),0,255)'[clock];[0][clock]overlay=(W-w)/2:(H-h)/2:format=yuv420,format=yuv420p" \
  -frames:v 400 -c:v libx264 -threads 1 -preset veryslow -profile:v main -crf 23 -maxrate 520k -bufsize 520k \
  -bf 2 -g 50 -keyint_min 50 -sc_threshold 0 -flags +cgop -color_primaries bt709 -color_trc bt709 -colorspace bt709 "$work/picture.mp4"

ff -i "$work/picture.mp4" -i "$work/tone.adts" -map 0:v -map 1:a -c copy -fflags +bitexact -metadata service_name=Livetape -metadata service_provider=Livetape \
  -f mpegts "$out"

frames() { ffprobe -loglevel error -count_packets -select_streams "$1" -show_entries stream=nb_read_packets -of csv=p=0 "$out" | head -1; }
echo "$out: $(stat -c %s "$out") bytes, $(frames v:0) video frames, $(frames a:0) audio frames"
